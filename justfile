# Recipes call the steps of `.ci/run`, which lists them with `.ci/run --list`.

# Lists the recipes.
default:
    @just --list

# Runs every required step.
ci:
    .ci/run

# Formats the code.
fmt:
    cargo fmt --all

lint:
    .ci/run lint

test:
    .ci/run test

test-all:
    .ci/run test-all

test-moto:
    .ci/run test-moto

features:
    .ci/run features

doc:
    .ci/run doc

api:
    .ci/run api

api-write:
    .ci/run api-write

exhaustive:
    .ci/run exhaustive

deep:
    .ci/run deep

package:
    .ci/run package

bench:
    .ci/run bench

mutants:
    .ci/run mutants

fuzz:
    .ci/run fuzz
