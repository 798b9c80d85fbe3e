# Two commands do everything on a fresh machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
RUNTIME := $(VENV)/.runtime
DEVELOP := $(VENV)/.develop
SHARED_FILES := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports links bench schema rbac clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(SHARED_FILES) | $(BIN)/python
	$(PIP) install -c constraints.txt hatchling editables
	$(PIP) install -c constraints.txt --no-build-isolation -e .
	@touch $@

$(DEVELOP): $(RUNTIME)
	$(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: $(RUNTIME) ## the whole deployment on the embedded simulator
	@$(BIN)/cockpit demo $(ARGS)

# Three workers for two cores: many tests wait for a real control plane or a real clock.
test: $(DEVELOP) ## all tests
	$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

check: format lint types imports links test ## everything that must hold before a commit lands

format: $(DEVELOP) ## is the code formatted
	$(BIN)/ruff format --check .

lint: $(DEVELOP) ## ruff
	$(BIN)/ruff check .

types: $(DEVELOP) ## mypy, strict
	$(BIN)/mypy

imports: $(DEVELOP) ## the layers
	$(BIN)/lint-imports --no-cache

links: $(DEVELOP) ## no dead links in the documentation
	$(BIN)/python -m pytest -q tests/unit/test_links.py

bench: $(DEVELOP) ## measured figures, each beside its reference
	$(BIN)/python -m tests.bench

contract: $(DEVELOP) ## what is proved on the simulator and on a real API server, as a table
	@$(BIN)/python -m tests.contract.table $(ARGS)

schema: $(RUNTIME) ## write the runbook's JSON Schema
	$(BIN)/cockpit schema > config/schema/runbook.v1.json

rbac: $(RUNTIME) ## write the shipped runbook's RBAC manifests
	for role in commander observer; do \
		$(BIN)/cockpit rbac config/runbooks/moshimoshi.yaml --role $$role > config/rbac/moshimoshi-$$role.yaml; done

clean: ## remove what make made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
