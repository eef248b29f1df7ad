#!/usr/bin/env python3
"""Measures the cost to build a program with this crate, and with only the crates of the AWS SDK.

    benches/compile_cost.py                    every variant from scratch, in the profiles dev and release
    benches/compile_cost.py --profile dev      one profile only
    benches/compile_cost.py --only sdk,aws     these variants only; ratios are to the first
    benches/compile_cost.py --list             lists the variants

Each variant is a separate program below `target/compile-cost`, built from scratch with the versions
of this repository's Cargo.lock. Compare the CPU times, because the wall time depends on the other
load of the machine. CPU times also differ by a tenth between runs. A full run takes two hours on
two busy cores. An interrupted run prints the results so far.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
WORK = REPOSITORY / "target" / "compile-cost"

TOKIO = 'tokio = { version = "1", default-features = false, features = ["macros", "rt"] }'
SERVICES = ["iam", "organizations", "ssm", "sts"]


def ours(*features: str) -> str:
    names = ", ".join(f'"{feature}"' for feature in features)
    return f'ssm-organizations = {{ path = "{REPOSITORY}", default-features = false, features = [{names}] }}'


def aws_config(*more: str) -> str:
    features = ", ".join(f'"{feature}"' for feature in ["default-https-client", "rt-tokio", *more])
    return f'aws-config = {{ version = "1", default-features = false, features = [{features}] }}'


def sdk(*services: str) -> list[str]:
    lean = 'version = "1", default-features = false, features = ["rt-tokio"]'
    return [f"aws-sdk-{service} = {{ {lean} }}" for service in services]


# Makes the calls of an onboarding, and reads all pages.
ON_THE_SDK = """
use std::error::Error;

use aws_sdk_organizations::Client;

const SSM: &str = "ssm.amazonaws.com";

async fn is_trusted(client: &Client) -> Result<bool, Box<dyn Error>> {
    let mut pages = client.list_aws_service_access_for_organization().into_paginator().send();
    while let Some(page) = pages.next().await {
        if page?.enabled_service_principals().iter().any(|service| service.service_principal() == Some(SSM)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn administrators(client: &Client) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut pages = client.list_delegated_administrators().service_principal(SSM).into_paginator().send();
    while let Some(page) = pages.next().await {
        found.extend(page?.delegated_administrators().iter().filter_map(|one| one.id().map(str::to_owned)));
    }
    Ok(found)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await?;
    println!("{:?} in {:?}", caller.account(), client.describe_organization().send().await?.organization());
    if !is_trusted(&client).await? {
        client.enable_aws_service_access().service_principal(SSM).send().await?;
        println!("{}", is_trusted(&client).await?);
    }
    if administrators(&client).await?.is_empty() {
        println!("{:?}", client.describe_account().account_id("222222222222").send().await?.account());
        client.register_delegated_administrator().account_id("222222222222").service_principal(SSM).send().await?;
        println!("{:?}", administrators(&client).await?);
    }
    Ok(())
}
"""

ON_AWS = """
use ssm_organizations::aws::AwsClient;
use ssm_organizations::{AccountId, Error, Integration};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let observed = Integration::new(AwsClient::new(&config)).observe().await?;
    println!("{}", observed.ensure_delegated(administrator).await?);
    Ok(())
}
"""

# Implements a client without any calls.
ON_A_FAKE = """
use ssm_organizations::ports::{OrganizationsApi, StsApi};
use ssm_organizations::{AccountId, Error, Integration};

struct Fake;
impl OrganizationsApi for Fake {}
impl StsApi for Fake {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let observed = Integration::new(Fake).observe().await?;
    println!("{}", observed.ensure_delegated(administrator).await?);
    Ok(())
}
"""

ON_THE_SIMULATOR = """
use ssm_organizations::{AccountId, Error, Integration, sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let administrator: AccountId = "222222222222".parse()?;
    let client = sim::SimOrganization::builder().member(administrator).build().management_client();
    let observed = Integration::new(client).observe().await?;
    println!("{}", observed.ensure_delegated(administrator).await?);
    Ok(())
}
"""

FROM_A_FILE = """
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::sim;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target: Target = serde_json::from_reader(std::io::stdin())?;
    let client = sim::SimOrganization::builder().build().management_client();
    let plan = target.plan(&Clients::new(&client)).await?;
    serde_json::to_writer(std::io::stdout(), &plan)?;
    Ok(())
}
"""


class Variant(NamedTuple):
    name: str
    title: str
    dependencies: list[str]
    program: str


VARIANTS = [
    Variant("sdk", "the SDK's four crates, minimal features", [aws_config(), *sdk(*SERVICES)], ON_THE_SDK),
    Variant("aws", "this crate, `aws`", [aws_config(), ours("aws")], ON_AWS),
    Variant("none", "this crate, no feature", [ours()], ON_A_FAKE),
    Variant("sim", "this crate, `sim` (default)", [ours("sim")], ON_THE_SIMULATOR),
    Variant("serde", "this crate, `sim` and `serde`", [ours("sim", "serde"), 'serde_json = "1"'], FROM_A_FILE),
    Variant("sso", "the SDK's four crates, minimal features plus `sso` and `credentials-process`",
            [aws_config("sso", "credentials-process"), *sdk(*SERVICES)], ON_THE_SDK),
    Variant("two", "the SDK's two crates that an onboarding calls, minimal features",
            [aws_config(), *sdk("organizations", "sts")], ON_THE_SDK),
    Variant("full", "the SDK's four crates, default features",
            ['aws-config = "1"', *(f'aws-sdk-{service} = "1"' for service in SERVICES)], ON_THE_SDK),
]


class Build(NamedTuple):
    crates: int
    cpu: float
    wall: float
    size: int
    stripped: int | None


def lay_out(variant: Variant) -> Path:
    """Writes the program of a variant and fetches its dependencies. Returns its folder."""
    package = WORK / variant.name
    shutil.rmtree(package, ignore_errors=True)
    (package / "src").mkdir(parents=True)
    dependencies = "\n".join([*variant.dependencies, TOKIO])
    manifest = f'[package]\nname = "minimal"\nedition = "2024"\n\n[dependencies]\n{dependencies}\n\n[workspace]\n'
    (package / "Cargo.toml").write_text(manifest)
    (package / "src" / "main.rs").write_text(variant.program)
    shutil.copy(REPOSITORY / "Cargo.lock", package / "Cargo.lock")
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=package, check=True)
    return package


def build(package: Path, profile: str) -> Build:
    """Builds the program from scratch, measures the build, and deletes the build folder."""
    target = package / "target"
    shutil.rmtree(target, ignore_errors=True)
    # Incremental compilation helps only later builds.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target), "CARGO_INCREMENTAL": "0", "CARGO_TERM_COLOR": "never"}
    command = ["cargo", "build", "--offline", "--profile", profile]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(done.stderr)
    # The program itself is not counted.
    crates = sum(line.lstrip().startswith("Compiling ") for line in done.stderr.splitlines()) - 1
    program = target / ("debug" if profile == "dev" else profile) / "minimal"
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = Build(crates, cpu, wall, program.stat().st_size, stripped_size(program))
    shutil.rmtree(target)
    return result


def stripped_size(program: Path) -> int | None:
    if shutil.which("strip") is None:
        return None
    bare = program.with_suffix(".stripped")
    subprocess.run(["strip", "-o", bare, program], check=True)
    return bare.stat().st_size


def row(variant: Variant, builds: list[Build], first: list[Build]) -> str:
    def of(field: str, which: list[Build]) -> float:
        return median(getattr(build, field) for build in which)

    def megabytes(field: str) -> str:
        if getattr(builds[0], field) is None:
            return "?"
        return f"{of(field, builds) / 1e6:.1f}"

    cpu, wall = of("cpu", builds), of("wall", builds)
    ratio = cpu / of("cpu", first)
    crates = builds[0].crates
    return (f"| {variant.title} | {crates} | {cpu:.0f} s | {ratio:.2f} | {wall:.0f} s | {wall / of('wall', first):.2f}"
            f" | {megabytes('size')} MB | {megabytes('stripped')} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="append", choices=["dev", "release"])
    parser.add_argument("--only", type=lambda names: names.split(","), default=[v.name for v in VARIANTS])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    variants = [variant for variant in VARIANTS if variant.name in arguments.only]
    if arguments.list or len(variants) != len(arguments.only):
        for variant in VARIANTS:
            print(f"{variant.name:6} {variant.title}")
        sys.exit(0 if arguments.list else 2)

    begun = time.monotonic()
    packages = {variant.name: lay_out(variant) for variant in variants}
    profiles = arguments.profile or ["dev", "release"]
    results: dict[tuple[str, str], list[Build]] = {}
    try:
        for _, profile, variant in product(range(arguments.rounds), profiles, variants):
            result = build(packages[variant.name], profile)
            results.setdefault((profile, variant.name), []).append(result)
            print(f"{profile} {variant.name}: {result}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)

    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, {os.cpu_count()} cores, {arguments.rounds} round(s), "
          f"{(time.monotonic() - begun) / 60:.0f} minutes; ratios to the first row")
    for profile in profiles:
        print(f"\n| cold, {profile} | crates | CPU time | ratio | wall time | ratio | program | stripped |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for variant in variants:
            if (profile, variant.name) in results:
                print(row(variant, results[profile, variant.name], results[profile, variants[0].name]))
    for package in packages.values():
        shutil.rmtree(package)


if __name__ == "__main__":
    main()
