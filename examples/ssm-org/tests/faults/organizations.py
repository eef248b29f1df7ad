"""Creates and shows organizations at a moto server with boto3, one for each management account.

Each line of the standard input is the account and `create` or `show`. The answer is a line of JSON.
"""

import json
import sys

import boto3

SSM = "ssm.amazonaws.com"

sessions = {}


def organizations(account):
    if account not in sessions:
        role = f"arn:aws:iam::{account}:role/management"
        keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        keys = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        sessions[account] = keys, boto3.client("organizations", **keys)
    return sessions[account]


def create(account):
    keys, client = organizations(account)
    client.create_organization(FeatureSet="ALL")
    members = []
    for name in ("admin", "other"):
        status = client.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
        members.append(status["AccountId"])
    return {"environment": {name.upper(): key for name, key in keys.items()}, "members": members}


def show(account):
    _, client = organizations(account)
    administrators = client.list_delegated_administrators(ServicePrincipal=SSM)["DelegatedAdministrators"]
    trusted = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return {
        "trusted": sorted(service["ServicePrincipal"] for service in trusted),
        "administrators": sorted(administrator["Id"] for administrator in administrators),
    }


for line in sys.stdin:
    account, action = line.split()
    print(json.dumps({"create": create, "show": show}[action](account)), flush=True)
