#!/usr/bin/env python3
"""Extracts the errors that AWS's own model declares for the calls of this crate.

    errors.py > errors.txt          with botocore installed
    errors.py --check errors.txt    reports whether the file is current

The output has one line for each operation and error, `<service> <operation> <code> <HTTP status>`,
and one for each reason, `reason <code> <reason>`. The tests have an expectation for every line, so
they fail if a later model adds an error.
"""

from models import MODELS, OPERATIONS, VERSION, print_or_check

WITH_REASONS = ["ConstraintViolationException", "InvalidInputException"]


def lines():
    for service, operations in OPERATIONS.items():
        shapes = MODELS[service]["shapes"]
        for operation in operations:
            errors = MODELS[service]["operations"][operation].get("errors", [])
            for name in sorted(error["shape"] for error in errors):
                error = shapes[name].get("error", {})
                status = error.get("httpStatusCode", 500 if shapes[name].get("fault") else 400)
                yield f"{service} {operation} {error.get('code', name)} {status}"
    for code in WITH_REASONS:
        shapes = MODELS["organizations"]["shapes"]
        for reason in shapes[shapes[code]["members"]["Reason"]["shape"]]["enum"]:
            yield f"reason {code} {reason}"


print_or_check("".join(f"{line}\n" for line in [f"# botocore {VERSION}", *lines()]))
