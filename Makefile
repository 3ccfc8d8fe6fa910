# Two commands on a fresh machine: `make run` shows the whole job, `make test` proves it.
.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .setup/ready
TESTABLE := .setup/testable
ROOMS := app inspection sync models resources server
# The data sets of tests and benchmarks: named by the environment, else beside the checkout where they are there.
IMAGEFLOW_DATA ?= $(abspath $(wildcard ../shared/data))
export IMAGEFLOW_DATA

.PHONY: help setup run quick test proofs station server lint format bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

# Made again only when something it depends on has changed; an untouched set-up costs nothing.
$(READY): pyproject.toml constraints.txt deploy/setup.sh deploy/system-packages.txt \
          $(wildcard inspection/anomaly/backbone/*.py) $(wildcard resources/translations/*.ts) \
          $(wildcard resources/protos/*.proto) server/grpc/generation.py
	sh deploy/setup.sh
	@mkdir -p $(@D) && touch $@

setup: $(READY)  ## .venv with everything from the one lock, the backbone, the translations

run: $(READY)  ## the whole job on sample parts, in the station window
	$(BIN)/imageflow demo

# The tests start a few engines of their own; those come as system packages.
$(TESTABLE): $(READY) deploy/test-packages.txt
	EXTRAS=train,dev,genicam sh deploy/setup.sh deploy/system-packages.txt deploy/test-packages.txt
	@touch $@

# Every core takes the next tests as it becomes free; what is costly to make is made once for all of them.
PYTEST := $(BIN)/python -m pytest -n logical --dist worksteal

quick: $(TESTABLE)  ## the tests that take moments
	$(PYTEST) -m "not slow and not e2e"

test: $(TESTABLE)  ## every test, on all cores
	$(PYTEST)

proofs: $(TESTABLE)  ## the long proofs of the synchronisation and of the executions, as tables
	$(BIN)/python -m tests.proofs.run

engines: $(TESTABLE)  ## PostgreSQL, S3 and Kafka of one's own on free ports, until Ctrl-C; prints what to export
	$(BIN)/python -m tests.support.engines

station: $(READY)  ## the station's window
	$(BIN)/imageflow station

server: $(READY)  ## the central server on loopback
	$(BIN)/imageflow server

lint: $(READY)  ## style, types, who may import whom, what nothing uses, what is unsafe
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/vulture
	$(BIN)/bandit -q -c pyproject.toml -ll -r $(ROOMS) -x server/grpc/stubs
	$(BIN)/pip check

format: $(READY)  ## put the source into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## the measured figures of docs/performance.md
	$(BIN)/imageflow bench all --write docs/performance.md

clean:  ## remove what set-up and tests made
	rm -rf .venv .setup .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache demo-output
	rm -f resources/backbones/*.xml resources/backbones/*.bin resources/backbones/*.json resources/translations/*.qm resources/translations/compiled.json
	rm -rf server/grpc/stubs
