# Every target works on a machine that has python3, venv and make, and nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint bench fmt clean

$(BIN)/.reports: pyproject.toml hatch_build.py policy_engine/evaluation/sets/kernel.c
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[reports]'
	@touch $@

$(BIN)/.dev: $(BIN)/.reports
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# The passphrase of the demonstration's keys protects nothing: they are made anew on every run.
DEMO := examples/credit-scoring
DEMO_AT := 2026-11-21T09:00:00Z
demo: export POLICY_ENGINE_PASSPHRASE ?= example-bank-demo

## The main job on the example bank: verdict on the terminal, report, bundle and CI files in out/.
demo: $(BIN)/.reports
	$(BIN)/python $(DEMO)/make_evidence.py
	rm -rf out
	$(BIN)/policy-engine assess $(DEMO) --at $(DEMO_AT) --out out --allow-violations
	$(BIN)/policy-engine verify out/bundle.zip

## Everything: unit, property, conformance, golden, end-to-end and attack tests.
test: $(BIN)/.dev
	$(BIN)/python -m pytest -n auto

## Static checks: formatting, lint, types, direction of imports.
lint: $(BIN)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## Medians and ratios beside peers: whole estates, the gate, changes, the front end, and the policy library.
bench: $(BIN)/.dev
	$(BIN)/python -m benchmarks
	$(BIN)/python benchmarks/front_end.py
	$(BIN)/python -m benchmarks.library

fmt: $(BIN)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) out dist
