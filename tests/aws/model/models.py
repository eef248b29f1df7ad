"""AWS's own models of the services that the crate speaks to, from botocore, and what both scripts beside this one do with them."""

import sys

import botocore
from botocore.loaders import Loader

VERSION = botocore.__version__

# Every operation that the crate calls.
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
    """Prints the text; after `--check FILE`, says whether it is what the file holds."""
    if sys.argv[1:2] != ["--check"]:
        sys.stdout.write(text)
        return
    with open(sys.argv[2], encoding="utf-8") as checked_in:
        if checked_in.read() != text:
            sys.exit(f"{sys.argv[2]} is not what botocore {VERSION} has: write it again")
