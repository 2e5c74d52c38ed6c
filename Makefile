# `make run` sets up and runs the main job; `make test` sets up and runs every check. Nothing else is
# needed but Python 3.11 or newer. Set-up is redone only when pyproject.toml or constraints.txt change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test lint mutation clean

run: $(VENV)/.run-installed
	$(BIN)/speckle run quickstart

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Half an hour: does a test fail when a line of analysis/, plugins/ or audit/ is changed? What is listed
# at the end survived; `mutmut show NAME` shows the change. Not part of `make test`.
mutation: $(VENV)/.dev-installed
	$(BIN)/mutmut run
	$(BIN)/mutmut results

$(VENV)/.run-installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[torch]'
	touch $@

$(VENV)/.dev-installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	touch $@ $(VENV)/.run-installed

clean:
	rm -rf $(VENV) mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
