"""Prints what AWS's API models say of the requests that the crate sends, as JSON.

Written anew with the botocore that `.ci/run` installs beside moto:

    target/moto/bin/python tests/aws/model/extract.py > tests/aws/model/inputs.json
"""

import json

import botocore
from botocore.loaders import Loader

OPERATIONS = {
    "organizations": [
        "DescribeOrganization",
        "DescribeAccount",
        "ListAWSServiceAccessForOrganization",
        "EnableAWSServiceAccess",
        "DisableAWSServiceAccess",
        "ListDelegatedAdministrators",
        "RegisterDelegatedAdministrator",
        "DeregisterDelegatedAdministrator",
    ],
    "sts": ["GetCallerIdentity"],
    "ssm": [
        "ListResourceDataSync",
        "CreateResourceDataSync",
        "UpdateResourceDataSync",
        "DeleteResourceDataSync",
    ],
    "iam": [
        "GetRole",
        "CreateServiceLinkedRole",
        "DeleteServiceLinkedRole",
        "GetServiceLinkedRoleDeletionStatus",
    ],
}


def expand(shapes, name):
    """A shape with those that it is made of in place, and without its prose."""
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


models = {service: Loader().load_service_model(service, "service-2") for service in OPERATIONS}
inputs = {name: operation(models[service], name) for service, names in OPERATIONS.items() for name in names}
print(json.dumps({"botocore": botocore.__version__, "operations": inputs}, indent=1))
