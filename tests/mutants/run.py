#!/usr/bin/env python3
"""Mutation testing in minutes: the mutants of `cargo mutants`, all in one build.

`cargo mutants` builds anew for each mutant, which for the thousands here takes more than half a day on two cores. This rewrites a copy of
the crate so that each mutant is an `if` that a variable chooses, builds once, notes which test reaches which mutant, and runs for each
only the tests that do, quick ones first, until one fails. What is left out by `.cargo/mutants.toml` is left out here.

    python3 -m venv target/mutants/venv
    target/mutants/venv/bin/pip install tree-sitter==0.26.1 tree-sitter-rust==0.24.2
    cargo install --locked cargo-mutants cargo-nextest
    target/mutants/venv/bin/python tests/mutants/run.py [REGEX OF FILES]

The copy, the build and `results.jsonl` are below `target/mutants`; with `--continue` a run goes on where it was, and tries anew what
survived or has moved.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemata import DOES_NOT_COMPILE, SWITCH, rewrite

REPOSITORY = Path(__file__).resolve().parents[2]
WORK = REPOSITORY / "target" / "mutants"
TREE, REACHED, RESULTS = WORK / "tree", WORK / "reached", WORK / "results.jsonl"
# Tests that take no part: they build programs of their own, or ask a server that is not there.
FILTER = "not binary(compile_fail)"
QUICK = {"PROPTEST_CASES": "64"}
BUILD = {
    "CARGO_TARGET_DIR": str(WORK / "build"),
    "CARGO_INCREMENTAL": "0",
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "RUSTFLAGS": "-Awarnings --cap-lints warn",
}


def cargo(*arguments, **variables):
    environment = {**os.environ, **BUILD, **variables}
    return subprocess.run(["cargo", *arguments], cwd=TREE, env=environment, capture_output=True, text=True)


def listed():
    command = ["cargo", "mutants", "--list", "--json", "-p", "ssm-organizations"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout)


def copy():
    """What git knows, as it stands in the work tree."""
    shutil.rmtree(TREE, ignore_errors=True)
    files = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for file in filter(None, files.split("\0")):
        if (REPOSITORY / file).is_file():
            (TREE / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / file, TREE / file)


def blamed(message):
    """The mutants that an error of the compiler's is about: the marks in the lines that it points at, or around them."""
    blamed = set()
    for span in message["spans"]:
        if not span["is_primary"]:
            continue
        lines = (TREE / span["file_name"]).read_text().split("\n")
        first, last = span["line_start"] - 1, span["line_end"]
        if (message.get("code") or {}).get("code") == "E0004":
            # Without this arm the match is not exhaustive, so that it cannot be deleted.
            blamed.update(map(int, re.findall(r"/\*M(\d+)\*/ +=>", "\n".join(lines[first : last + 14]))))
            continue
        here = [(found.start(), int(found[1])) for found in re.finditer(r"/\*M(\d+)\*/", "\n".join(lines[first:last]))]
        if here:
            blamed.add(next((mutant for at, mutant in here if at >= span["column_start"] - 1), here[-1][1]))
        else:
            around = "\n".join(lines[max(0, first - 2) : last + 2])
            blamed.update(map(int, re.findall(r"/\*M(\d+)\*/", around)))
    return blamed


def build(mutants):
    """Writes all mutants into the copy, and takes out again what does not compile."""
    out = {}
    while True:
        copy()
        skipped = rewrite(TREE, mutants, set(out))
        done = cargo("check", "--lib", "--all-features", "--message-format", "json")
        if done.returncode == 0:
            return {**skipped, **out}
        messages = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
        errors = [m["message"] for m in messages if m.get("reason") == "compiler-message" and m["message"]["level"] == "error"]
        unviable = set().union(*map(blamed, errors)) - set(out) if errors else set()
        if not unviable:
            raise SystemExit(f"the copy does not compile, and no mutant is to blame:\n{done.stderr}")
        out.update(dict.fromkeys(unviable, DOES_NOT_COMPILE))


def survey():
    """Every test program, what each test takes, and which tests reach which mutant."""
    selection = ["--workspace", "--all-features", "--exclude", "peers", "-E", FILTER]
    programs = cargo("nextest", "list", *selection, "--list-type", "binaries-only", "--message-format", "json")
    programs = json.loads(programs.stdout)["rust-binaries"]
    shutil.rmtree(REACHED, ignore_errors=True)
    REACHED.mkdir()
    done = cargo("nextest", "run", *selection, "--status-level", "pass", MUTANTS_REACHED=str(REACHED), **QUICK)
    if done.returncode:
        raise SystemExit(f"tests fail without any mutant:\n{done.stderr[-4000:]}")
    took = {(m[2], m[3]): float(m[1]) for m in re.finditer(r"PASS \[\s*([\d.]+)s\] \(\s*\d+/\d+\) (\S+) (\S+)", done.stderr)}
    reaching = defaultdict(set)
    for file in REACHED.iterdir():
        test, *mutants = file.read_text().splitlines()
        for mutant in mutants:
            reaching[int(mutant)].add(tuple(test.split()))
    homes = {key: (found["binary-path"], re.search(r"\+file://([^#]*)", found["package-id"])[1]) for key, found in programs.items()}
    return homes, took, reaching


def batches(tests, took):
    """Tests of one program that are run by one process: few and quick ones first."""
    size = 8
    while tests:
        batch = [tests.pop(0)]
        total = took.get(batch[0], 0.05)
        while tests and len(batch) < size and tests[0][0] == batch[0][0] and total + took.get(tests[0], 0.05) < 3:
            total += took.get(tests[0], 0.05)
            batch.append(tests.pop(0))
        yield batch, total
        size *= 3


def judge(mutant, tests, homes, took):
    if not tests:
        return "unreached", None
    for batch, total in batches(sorted(tests, key=lambda test: took.get(test, 0.05)), took):
        program, home = homes[batch[0][0]]
        command = [program, "--exact", "--test-threads=1", *(test for _, test in batch)]
        environment = {**os.environ, **QUICK, SWITCH: str(mutant), "CARGO_MANIFEST_DIR": home}
        try:
            done = subprocess.run(command, cwd=home, env=environment, capture_output=True, timeout=10 + 12 * total)
        except subprocess.TimeoutExpired:
            return "timeout", batch[0][1]
        if done.returncode:
            failed = re.search(rb"test (\S+) \.\.\. FAILED", done.stdout)
            return "killed", failed[1].decode() if failed else batch[0][1]
    return "survived", None


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("files", nargs="?", default="", metavar="REGEX", help="only mutants in files like this")
    arguments.add_argument("--continue", action="store_true", dest="go_on", help="keep the results that are there")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = arguments.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    if not arguments.go_on:
        RESULTS.unlink(missing_ok=True)
    known = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    known = {result["name"]: result for result in known if result["verdict"] in ("killed", "timeout")}

    begun = time.monotonic()
    mutants = listed()
    known = {mutant["name"]: known[mutant["name"]] for mutant in mutants if mutant["name"] in known}
    skipped = build(mutants)
    homes, took, reaching = survey()
    print(f"{len(mutants)} mutants; built and surveyed in {time.monotonic() - begun:.0f} s", flush=True)

    open_ = [
        number
        for number, mutant in enumerate(mutants)
        if number not in skipped and re.search(arguments.files, mutant["file"]) and mutant["name"] not in known
    ]

    def run(number):
        verdict, by = judge(number, reaching[number], homes, took)
        return {"name": mutants[number]["name"], "verdict": verdict, "by": by}

    with ThreadPoolExecutor(arguments.jobs) as workers, RESULTS.open("a") as results:
        for result in workers.map(run, open_):
            known[result["name"]] = result
            results.write(json.dumps(result) + "\n")
            results.flush()

    for result in known.values():
        if result["verdict"] in ("survived", "unreached"):
            print(f"{result['verdict']}: {result['name']}")
    verdicts = Counter(result["verdict"] for result in known.values())
    print(f"{dict(verdicts)}; left out: {dict(Counter(skipped.values()))}; {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
