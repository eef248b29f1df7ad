#!/usr/bin/env python3
"""Checks that the public API has types of allowed external crates only.

`.ci/external_types.toml` is the list. `tests/public_api.txt` is the API, which `.ci/run api` compares
with the code.

    .ci/check_external_types.py [--root DIRECTORY]
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

OWN = "ssm_organizations"
STANDARD = {"core", "alloc", "std"}
# Root of a path of crates: not preceded by another segment or by the `::` of one.
ROOT = re.compile(r"(?<![\w:])([a-z][a-z0-9_]*)::(?=\w)")
# Path of the item that a line lists, or of the type that it implements a trait for.
ITEM = re.compile(rf"{OWN}::([a-z_]+)")


def check(root):
    allowed = tomllib.loads((root / ".ci/external_types.toml").read_text(encoding="utf-8"))["allow"]
    used, findings = set(), []
    lines = (root / "tests/public_api.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        module = ITEM.search(line)
        for crate in sorted(set(ROOT.findall(line)) - STANDARD - {OWN}):
            fits = [
                index
                for index, entry in enumerate(allowed)
                if entry["crate"] == crate and entry.get("module") in (None, module and module[1])
            ]
            used.update(fits)
            if not fits:
                findings.append(f"tests/public_api.txt:{number}: type of {crate} in the public API: {line[:120]}")
    for index, entry in enumerate(allowed):
        if not entry.get("reason"):
            findings.append(f".ci/external_types.toml: {entry['crate']} has no reason")
        if index not in used and not any(entry["crate"] in line for line in lines):
            findings.append(f".ci/external_types.toml: {entry['crate']} is not in the public API")
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    findings = check(parser.parse_args().root.resolve())
    print("\n".join(findings) if findings else "external types: no findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
