#!/usr/bin/env python3
"""Extracts the parts of AWS's models that the crate may have to follow, and reports changes.

    watch.py > watch.txt            with botocore installed
    watch.py --changes watch.txt    with a newer botocore: prints the new and the removed lines

The output has one line for each operation of the services that the crate calls, for each reason of
Organizations, for each partition with its Regions, and for each Region of Quick Setup.
`errors.py --check` and `inputs.py --check` compare the errors and the requests of the operations
that the crate uses.
"""

import sys

from botocore.session import Session
from models import MODELS, VERSION

# Other operations of these services concern neither data syncs nor service-linked roles.
RELEVANT = {"ssm": ["ResourceDataSync", "OpsSummary", "ServiceSetting"], "iam": ["ServiceLinkedRole"]}


def lines():
    for service in ["organizations", *RELEVANT]:
        for name in sorted(MODELS[service]["operations"]):
            if any(word in name for word in RELEVANT.get(service, [""])):
                yield f"operation {service} {name}"
    shapes = MODELS["organizations"]["shapes"]
    for code in ["ConstraintViolationException", "InvalidInputException"]:
        for reason in shapes[shapes[code]["members"]["Reason"]["shape"]]["enum"]:
            yield f"reason {code} {reason}"
    session = Session()
    for partition in session.get_available_partitions():
        yield f"partition {partition}"
        for region in sorted(session.get_available_regions("ssm", partition)):
            yield f"region {partition} {region}"
        for region in sorted(session.get_available_regions("ssm-quicksetup", partition)):
            yield f"quick-setup {partition} {region}"


now = list(lines())
match sys.argv[1:]:
    case []:
        print("\n".join([f"# botocore {VERSION}", *now]))
    case ["--changes", path]:
        with open(path, encoding="utf-8") as file:
            first, *before = file.read().splitlines()
        changes = [f"new: {line}" for line in now if line not in before]
        changes += [f"removed: {line}" for line in before if line not in now]
        print("\n".join([f"{first}; compared with botocore {VERSION}: {len(changes)} changes", *changes]))
        sys.exit(bool(changes))
    case _:
        sys.exit(__doc__)
