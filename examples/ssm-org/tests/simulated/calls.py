"""Makes a fixed series of calls with boto3 or the `aws` CLI, and prints the outcome of each.

The server is AWS_ENDPOINT_URL. Prints one JSON object: the outcome by step. An outcome is the code of an
error with its reason, or the keys of the output.
"""

import argparse
import json
import os
import re
import subprocess

import boto3
from botocore.exceptions import ClientError

SSM = "ssm.amazonaws.com"
ROLE = "AWSServiceRoleForAmazonSSM_AccountDiscovery"
SYNC = {
    "SyncName": "all",
    "SyncType": "SyncFromSource",
    "SyncSource": {
        "SourceType": "AwsOrganizations",
        "AwsOrganizationsSource": {"OrganizationSourceType": "EntireOrganization"},
        "SourceRegions": ["us-east-1"],
    },
}


def steps(management, admin, other):
    """Yields the name, the service, the operation, the input and the caller of each step."""
    org, ssm, iam, sts = "organizations", "ssm", "iam", "sts"
    register, deregister = "RegisterDelegatedAdministrator", "DeregisterDelegatedAdministrator"
    enable, disable = "EnableAWSServiceAccess", "DisableAWSServiceAccess"
    trust = {"ServicePrincipal": SSM}
    of = lambda account: {"AccountId": account, "ServicePrincipal": SSM}
    role = lambda account: f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    session = lambda account: {"RoleArn": role(account), "RoleSessionName": "test"}
    member = admin
    yield "identity", sts, "GetCallerIdentity", {}, None
    yield "identity of a member", sts, "GetCallerIdentity", {}, member
    yield "role of an unknown account", sts, "AssumeRole", session("999999999999"), None
    yield "organization", org, "DescribeOrganization", {}, None
    yield "organization of a member", org, "DescribeOrganization", {}, member
    yield "roots", org, "ListRoots", {}, None
    yield "accounts", org, "ListAccounts", {}, None
    yield "page of accounts", org, "ListAccounts", {"MaxResults": 1}, None
    yield "accounts by a member", org, "ListAccounts", {}, other
    yield "invalid token", org, "ListAccounts", {"NextToken": "invalid"}, None
    yield "account", org, "DescribeAccount", {"AccountId": admin}, None
    yield "unknown account", org, "DescribeAccount", {"AccountId": "999999999999"}, None
    yield "disabled service", org, "ListAWSServiceAccessForOrganization", {}, None
    yield "register without trust", org, register, of(admin), None
    yield "enable an unknown service", org, enable, {"ServicePrincipal": "unknown"}, None
    yield "enable by a member", org, enable, trust, member
    yield "enable", org, enable, trust, None
    yield "enable again", org, enable, trust, None
    yield "enabled service", org, "ListAWSServiceAccessForOrganization", {}, None
    yield "sync without the role", ssm, "CreateResourceDataSync", SYNC, None
    yield "missing role", iam, "GetRole", {"RoleName": ROLE}, None
    slr = {"AWSServiceName": "accountdiscovery.ssm.amazonaws.com"}
    yield "create the role", iam, "CreateServiceLinkedRole", slr, None
    yield "create the role again", iam, "CreateServiceLinkedRole", slr, None
    yield "role", iam, "GetRole", {"RoleName": ROLE}, None
    yield "register the management account", org, register, of(management), None
    yield "register an unknown account", org, register, of("999999999999"), None
    yield "register by a member", org, register, of(admin), member
    yield "deregister without registration", org, deregister, of(admin), None
    yield "register", org, register, of(admin), None
    yield "register again", org, register, of(admin), None
    yield "register a second account", org, register, of(other), None
    yield "administrators", org, "ListDelegatedAdministrators", trust, None
    yield "administrators by the administrator", org, "ListDelegatedAdministrators", trust, member
    yield "administrators by a member", org, "ListDelegatedAdministrators", trust, other
    yield "services of the administrator", org, "ListDelegatedServicesForAccount", {"AccountId": admin}, None
    yield "services of a member", org, "ListDelegatedServicesForAccount", {"AccountId": other}, None
    yield "remove the administrator", org, "RemoveAccountFromOrganization", {"AccountId": admin}, None
    yield "create a sync", ssm, "CreateResourceDataSync", SYNC, None
    yield "create a sync again", ssm, "CreateResourceDataSync", SYNC, None
    yield "sync by a member", ssm, "CreateResourceDataSync", SYNC, other
    yield "syncs", ssm, "ListResourceDataSync", {"SyncType": "SyncFromSource"}, None
    yield "update the sync", ssm, "UpdateResourceDataSync", SYNC, None
    yield "update an unknown sync", ssm, "UpdateResourceDataSync", {**SYNC, "SyncName": "other"}, None
    by_name = {"SyncName": "all", "SyncType": "SyncFromSource"}
    yield "delete the sync", ssm, "DeleteResourceDataSync", by_name, None
    yield "delete the sync again", ssm, "DeleteResourceDataSync", by_name, None
    yield "delete the role in use", iam, "DeleteServiceLinkedRole", {"RoleName": ROLE}, None
    yield "unknown deletion", iam, "GetServiceLinkedRoleDeletionStatus", {"DeletionTaskId": "task/unknown"}, None
    yield "deregister another account", org, deregister, of(other), None
    yield "deregister", org, deregister, of(admin), None
    yield "disable by a member", org, disable, trust, member
    yield "disable", org, disable, trust, None
    yield "disable again", org, disable, trust, None
    yield "roles", iam, "ListRoles", {"PathPrefix": "/aws-service-role/"}, None
    yield "create a unit", org, "CreateOrganizationalUnit", {"ParentId": "ROOT", "Name": "unit"}, None
    yield "create a unit again", org, "CreateOrganizationalUnit", {"ParentId": "ROOT", "Name": "unit"}, None
    yield "units", org, "ListOrganizationalUnitsForParent", {"ParentId": "ROOT"}, None
    yield "unknown unit", org, "DescribeOrganizationalUnit", {"OrganizationalUnitId": "ou-abcd-12345678"}, None
    yield "unit", org, "DescribeOrganizationalUnit", {"OrganizationalUnitId": "UNIT"}, None
    move = {"AccountId": other, "SourceParentId": "ROOT", "DestinationParentId": "UNIT"}
    yield "move", org, "MoveAccount", move, None
    yield "move again", org, "MoveAccount", move, None
    yield "parents", org, "ListParents", {"ChildId": other}, None
    yield "accounts of the unit", org, "ListAccountsForParent", {"ParentId": "UNIT"}, None
    yield "close", org, "CloseAccount", {"AccountId": other}, None
    yield "close again", org, "CloseAccount", {"AccountId": other}, None
    yield "remove an unknown account", org, "RemoveAccountFromOrganization", {"AccountId": "999999999999"}, None
    created = {"Email": "new@example.com", "AccountName": "new"}
    yield "create an account", org, "CreateAccount", created, None
    yield "created account", org, "DescribeCreateAccountStatus", {"CreateAccountRequestId": "CREATION"}, None
    unknown = {"CreateAccountRequestId": "car-00000000000000000000000000000000"}
    yield "unknown creation", org, "DescribeCreateAccountStatus", unknown, None


def shape(value):
    """Returns the keys of an output, without values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in sorted(value.items()) if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return ""


def kebab(operation):
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+", operation)
    return "-".join(words).lower()


class Boto3:
    def __init__(self):
        self.clients = {}

    def call(self, service, operation, given, credentials):
        key = (service, credentials.get("aws_access_key_id"))
        if key not in self.clients:
            self.clients[key] = boto3.client(service, **credentials)
        client = self.clients[key]
        method = next(name for name, wire in client.meta.method_to_api_mapping.items() if wire == operation)
        try:
            return getattr(client, method)(**given), None
        except ClientError as error:
            return None, " ".join(filter(None, [error.response["Error"]["Code"], error.response.get("Reason")]))


class Cli:
    def call(self, service, operation, given, credentials):
        variables = {key.upper(): value for key, value in credentials.items()}
        command = [os.environ["AWS_CLI"], service, kebab(operation), "--output", "json", "--no-paginate"]
        command += ["--cli-input-json", json.dumps(given)]
        ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, check=False)
        if ran.returncode == 0:
            return json.loads(ran.stdout or "{}"), None
        found = re.search(r"An error occurred \((\w+)\)", ran.stderr)
        return None, found[1] if found else ran.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=["boto3", "aws"])
    parser.add_argument("accounts", nargs=3)
    arguments = parser.parse_args()
    client = Boto3() if arguments.client == "boto3" else Cli()
    sessions = {None: {}}
    names = {}
    outcomes = {}
    for name, service, operation, given, caller in steps(*arguments.accounts):
        if caller not in sessions:
            role = f"arn:aws:iam::{caller}:role/OrganizationAccountAccessRole"
            session, _ = client.call("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": "test"}, {})
            session = session["Credentials"]
            sessions[caller] = {
                "aws_access_key_id": session["AccessKeyId"],
                "aws_secret_access_key": session["SecretAccessKey"],
                "aws_session_token": session["SessionToken"],
            }
        given = {key: names.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
        output, refusal = client.call(service, operation, given, sessions[caller])
        outcomes[name] = refusal or shape(output)
        match name, output:
            case "roots", {"Roots": [root, *_]}:
                names["ROOT"] = root["Id"]
            case "create a unit", {"OrganizationalUnit": unit}:
                names["UNIT"] = unit["Id"]
            case "create an account", {"CreateAccountStatus": status}:
                names["CREATION"] = status["Id"]
    print(json.dumps(outcomes))


main()
