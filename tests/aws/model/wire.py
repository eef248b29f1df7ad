"""Extracts AWS's models of the operations that the simulator serves over AWS's protocols, as JSON.

    wire.py inputs > ../../../src/wire/model.json    requests, and the HTTP status of each error
    wire.py outputs > outputs.json                   responses, and the members of each error

`wire.py inputs --check FILE` and `wire.py outputs --check FILE` report whether FILE is current.
"""

import json
import sys

from models import MODELS, OPERATIONS, VERSION, print_or_check

# Operations that this crate does not call, and that the simulator serves to other callers.
FURTHER = {
    "organizations": [
        "ListAccounts",
        "ListAccountsForParent",
        "ListDelegatedServicesForAccount",
        "ListOrganizationalUnitsForParent",
        "ListParents",
        "ListRoots",
        "CloseAccount",
        "CreateAccount",
        "CreateOrganizationalUnit",
        "DescribeCreateAccountStatus",
        "MoveAccount",
        "RemoveAccountFromOrganization",
    ],
    "sts": ["AssumeRole"],
    "ssm": [],
    "iam": ["ListRoles"],
}


def expand(shapes, name):
    """Returns a shape with its members in place, and without its documentation."""
    shape = shapes[name]
    kept = {key: shape[key] for key in ("type", "required", "min", "max", "pattern", "enum") if key in shape}
    if "members" in shape:
        kept["members"] = {member: expand(shapes, of["shape"]) for member, of in shape["members"].items()}
    if "member" in shape:
        kept["member"] = expand(shapes, shape["member"]["shape"])
    return kept


def body(model, operation, which):
    found = model["operations"][operation].get(which)
    return expand(model["shapes"], found["shape"]) if found else {"type": "structure", "members": {}}


def code(model, shape):
    return model["shapes"][shape].get("error", {}).get("code", shape)


def status(model, shape):
    shape = model["shapes"][shape]
    return shape.get("error", {}).get("httpStatusCode", 500 if shape.get("fault") else 400)


def operation(model, name, part):
    errors = [error["shape"] for error in model["operations"][name].get("errors", [])]
    if part == "inputs":
        return {
            "input": body(model, name, "input"),
            "errors": {code(model, error): status(model, error) for error in errors},
        }
    return {
        "output": body(model, name, "output"),
        "errors": {
            code(model, error): {"status": status(model, error), **expand(model["shapes"], error)} for error in errors
        },
    }


def service(name, part):
    model = MODELS[name]
    metadata = model["metadata"]
    operations = sorted([*OPERATIONS[name], *FURTHER[name]])
    return {
        **({"target": metadata["targetPrefix"]} if metadata["protocol"] == "json" else {}),
        "version": metadata["apiVersion"],
        "operations": {each: operation(model, each, part) for each in operations},
    }


part = sys.argv.pop(1)
services = {name: service(name, part) for name in OPERATIONS}
print_or_check(json.dumps({"botocore": VERSION, "services": services}, indent=1) + "\n")
