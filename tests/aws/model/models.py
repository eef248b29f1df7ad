"""AWS's own models of the services that the crate calls, from botocore, with functions for the other scripts."""

import sys

import botocore
from botocore.loaders import Loader

VERSION = botocore.__version__

# Operations that the crate calls, by service.
OPERATIONS = {
    "organizations": [
        "DescribeOrganization",
        "DescribeAccount",
        "DescribeOrganizationalUnit",
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

MODELS = {service: Loader().load_service_model(service, "service-2") for service in OPERATIONS}


def print_or_check(text):
    """Prints the text. With `--check FILE`, fails instead if the file has another text."""
    if sys.argv[1:2] != ["--check"]:
        sys.stdout.write(text)
        return
    with open(sys.argv[2], encoding="utf-8") as checked_in:
        if checked_in.read() != text:
            sys.exit(f"{sys.argv[2]} differs from botocore {VERSION}: generate the file again")
