"""Does the job with boto3: job.py ACCOUNT [onboard|offboard]..."""

import sys

import boto3

SSM = "ssm.amazonaws.com"

organizations = boto3.client("organizations")


def every(operation, key, **arguments):
    return [item for page in organizations.get_paginator(operation).paginate(**arguments) for item in page[key]]


def look():
    organization = organizations.describe_organization()["Organization"]
    services = every("list_aws_service_access_for_organization", "EnabledServicePrincipals")
    trusted = any(service["ServicePrincipal"] == SSM for service in services)
    administrators = every("list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=SSM)
    return organization["Id"], trusted, [account["Id"] for account in administrators]


account, *steps = sys.argv[1:]
for step in steps:
    look()
    if step == "onboard":
        organizations.enable_aws_service_access(ServicePrincipal=SSM)
        organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=SSM)
    else:
        organizations.deregister_delegated_administrator(AccountId=account, ServicePrincipal=SSM)
        organizations.disable_aws_service_access(ServicePrincipal=SSM)
    print(*look())
