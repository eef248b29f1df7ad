"""Extracts AWS's own models of the requests that the crate sends, as JSON.

    inputs.py > inputs.json          with botocore installed, as `.ci/run` does together with moto
    inputs.py --check inputs.json    reports whether the file is current
"""

import json

from models import MODELS, OPERATIONS, VERSION, print_or_check


def expand(shapes, name):
    """Returns a shape with its members in place, and without its documentation."""
    shape = shapes[name]
    kept = {key: shape[key] for key in ("type", "required", "min", "max", "pattern", "enum") if key in shape}
    if "members" in shape:
        kept["members"] = {member: expand(shapes, of["shape"]) for member, of in shape["members"].items()}
    if "member" in shape:
        kept["member"] = expand(shapes, shape["member"]["shape"])
    return kept


def operation(model, name):
    metadata = model["metadata"]
    asked = model["operations"][name].get("input")
    shape = expand(model["shapes"], asked["shape"]) if asked else {"type": "structure", "members": {}}
    if metadata["protocol"] == "json":
        return {"target": f"{metadata['targetPrefix']}.{name}", "input": shape}
    return {"version": metadata["apiVersion"], "input": shape}


inputs = {name: operation(MODELS[service], name) for service, names in OPERATIONS.items() for name in names}
print_or_check(json.dumps({"botocore": VERSION, "operations": inputs}, indent=1) + "\n")
