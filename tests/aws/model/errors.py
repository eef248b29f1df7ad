#!/usr/bin/env python3
"""Writes down the errors that AWS's own model declares for the calls of this crate.

    errors.py > errors.txt          with botocore installed
    errors.py --check errors.txt    says whether that is what the model has

One line for each operation and error, `<service> <operation> <code> <HTTP status>`, and one for each reason,
`reason <code> <reason>`. The tests expect something of every line, so an error that a later model adds is missed there.
"""

import sys

import botocore
import botocore.session

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
WITH_REASONS = ["ConstraintViolationException", "InvalidInputException"]


def lines():
    loader = botocore.session.get_session().get_component("data_loader")
    models = {service: loader.load_service_model(service, "service-2") for service in OPERATIONS}
    for service, operations in OPERATIONS.items():
        shapes = models[service]["shapes"]
        for operation in operations:
            errors = models[service]["operations"][operation].get("errors", [])
            for name in sorted(error["shape"] for error in errors):
                error = shapes[name].get("error", {})
                status = error.get("httpStatusCode", 500 if shapes[name].get("fault") else 400)
                yield f"{service} {operation} {error.get('code', name)} {status}"
    for code in WITH_REASONS:
        shapes = models["organizations"]["shapes"]
        for reason in shapes[shapes[code]["members"]["Reason"]["shape"]]["enum"]:
            yield f"reason {code} {reason}"


def main():
    written = "".join(f"{line}\n" for line in [f"# botocore {botocore.__version__}", *lines()])
    if sys.argv[1:2] != ["--check"]:
        sys.stdout.write(written)
        return
    with open(sys.argv[2], encoding="utf-8") as checked_in:
        if checked_in.read() != written:
            sys.exit(f"{sys.argv[2]} is not what botocore {botocore.__version__} declares: write it anew")


main()
