# Everything one does with this repository. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

WORKERS ?= 2
# `make quick` leaves out four files of unit tests that need minutes of computing
QUICK := tests/unit tests/rules tests/contracts/test_street.py \
	$(foreach slow,regions_bombs regions_crew simulate_phones catalogue,--ignore tests/unit/test_$(slow).py)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: run
run: $(STAMPS)/run ## install what is needed and show a town in which events happen (data/demo.sqlite)
	@$(BIN)/geofence demo $(ARGS)

.PHONY: test
test: $(STAMPS)/dev ## run every test (about 10 minutes on two cores)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: quick
quick: $(STAMPS)/dev ## unit tests, rules of the tree and contracts on SQLite, in under a minute
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup $(QUICK) -k "not postgresql" $(ARGS)

.PHONY: coverage
coverage: $(STAMPS)/dev ## run every test and write htmlcov/ and coverage.xml
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=term:skip-covered \
		--cov-report=html --cov-report=xml $(ARGS)

.PHONY: check
check: $(STAMPS)/dev ## lint, types and the rules of the project
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy examples/*.py tests/examples/*.py
	@$(BIN)/python -m pytest -q tests/rules

.PHONY: format
format: $(STAMPS)/dev ## put every file into its one form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: test-crash
test-crash: $(STAMPS)/dev ## the long suite that kills the service at random
	@$(BIN)/python -m pytest tests/long/test_crash.py $(ARGS)

.PHONY: test-offers
test-offers: $(STAMPS)/dev ## the long suite from real walks to pushes, killed on the way
	@$(BIN)/python -m pytest tests/long/test_offers.py $(ARGS)

.PHONY: test-real
test-real: $(STAMPS)/dev ## the long suite over recorded traces, where they are there
	@$(BIN)/python -m pytest tests/long/test_real.py tests/long/test_real_phones.py $(ARGS)

.PHONY: test-pairs
test-pairs: $(STAMPS)/dev ## a million random pairs and 100,000 beside edges against brute force
	@GEOFENCE_TEST_PAIRS=1000000 $(BIN)/python -m pytest tests/properties/test_regions_pairs.py $(ARGS)

.PHONY: bench
bench: $(STAMPS)/dev ## measure, print a table and write bench/results/
	@$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: $(STAMPS)/install ## pin every dependency, with hashes and without addresses
	@$(COMPILE) pyproject.toml --extra dev -o requirements-dev.lock $(ARGS)
	@$(COMPILE) pyproject.toml --extra formats --extra sandbox -c requirements-dev.lock -o requirements.lock
	@$(COMPILE) --group install -c requirements-dev.lock -o requirements-install.lock

.PHONY: clean
clean: ## remove the environment, caches and demo data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage coverage.xml htmlcov dist data/demo.sqlite*

# --- installing: each stamp is made anew when its lock, or the project's own definition, has changed

# pip brings uv, which installs the rest in seconds; where uv cannot run, pip does all of it
INSTALL = if $(BIN)/uv --version >/dev/null 2>&1 \
	&& $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1); then :; \
	else $(BIN)/python -m pip install --quiet --no-compile --require-hashes -r $(1); fi

# `geofence` itself: its files stay where they are, and no build reaches out for anything
EDITABLE = $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .

$(STAMPS)/install: requirements-install.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-install.lock
	@touch $@

$(STAMPS)/run: requirements.lock pyproject.toml $(STAMPS)/install
	@$(call INSTALL,requirements.lock)
	@$(EDITABLE)
	@touch $@

$(STAMPS)/dev: requirements-dev.lock pyproject.toml $(STAMPS)/install
	@$(call INSTALL,requirements-dev.lock)
	@$(EDITABLE)
	@touch $@ $(STAMPS)/run
