# Needs make, a POSIX shell and Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
# Options for pytest: make test ARGS="-k approvals"
ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

export DAGSTER_DISABLE_TELEMETRY = 1

.PHONY: demo test lint bench env clean-env

demo: $(INSTALLED)
	$(BIN)/lsoalink demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/dg check defs
	$(BIN)/dagster definitions validate -w workspace.yaml

bench: $(INSTALLED)
	@set -e; for script in benchmarks/bench_*.py; do \
		echo "== $$script"; \
		$(BIN)/python "$$script"; \
	done

env: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "lsoalink needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.11" >&2; \
		exit 1; }
	@echo "Installing the locked packages into .venv; this takes about a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --no-build-isolation -e .
	@touch $@

clean-env:
	rm -rf .venv
