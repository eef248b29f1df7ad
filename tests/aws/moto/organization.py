"""Creates and shows resources on a moto server with boto3, independently of the code under test.

AWS_ENDPOINT_URL names the server. The script prints one JSON document.
"""

import argparse
import json

import boto3

SSM = "ssm.amazonaws.com"

organizations = boto3.client("organizations")


def every(operation, key, **arguments):
    return [item for page in organizations.get_paginator(operation).paginate(**arguments) for item in page[key]]


def create(features, members):
    organization = organizations.create_organization(FeatureSet=features)["Organization"]
    accounts = []
    for number in range(members):
        status = organizations.create_account(Email=f"member{number}@example.com", AccountName=f"member{number}")
        accounts.append(status["CreateAccountStatus"]["AccountId"])
    return {"id": organization["Id"], "management": organization["MasterAccountId"], "members": accounts}


def unit():
    root = organizations.list_roots()["Roots"][0]["Id"]
    return {"id": organizations.create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]}


def show():
    administrators = every("list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=SSM)
    trusted = every("list_aws_service_access_for_organization", "EnabledServicePrincipals")
    return {
        "trusted": sorted(service["ServicePrincipal"] for service in trusted),
        "administrators": sorted(account["Id"] for account in administrators),
    }


def assume(account):
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    credentials = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {key: credentials[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")}


def user(name):
    boto3.client("iam").create_user(UserName=name)
    key = boto3.client("iam").create_access_key(UserName=name)["AccessKey"]
    return {part: key[part] for part in ("AccessKeyId", "SecretAccessKey")}


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create")
    new.add_argument("--features", default="ALL")
    new.add_argument("--members", type=int, default=2)
    commands.add_parser("show")
    commands.add_parser("unit")
    for name in ("enable", "disable"):
        commands.add_parser(name).add_argument("principal")
    commands.add_parser("user").add_argument("name")
    allow = commands.add_parser("allow")
    allow.add_argument("name")
    allow.add_argument("policy")
    for name in ("register", "close", "assume"):
        commands.add_parser(name).add_argument("account")
    given = parser.parse_args()

    result = {}
    match given.command:
        case "create":
            result = create(given.features, given.members)
        case "show":
            result = show()
        case "unit":
            result = unit()
        case "assume":
            result = assume(given.account)
        case "user":
            result = user(given.name)
        case "allow":
            boto3.client("iam").put_user_policy(
                UserName=given.name, PolicyName="allowed", PolicyDocument=given.policy
            )
        case "enable":
            organizations.enable_aws_service_access(ServicePrincipal=given.principal)
        case "disable":
            organizations.disable_aws_service_access(ServicePrincipal=given.principal)
        case "register":
            organizations.register_delegated_administrator(AccountId=given.account, ServicePrincipal=SSM)
        case "close":
            organizations.close_account(AccountId=given.account)
    print(json.dumps(result))


main()
