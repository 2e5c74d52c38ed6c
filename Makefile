# `make run` sets up and runs the main job; `make test` sets up and runs every check. Nothing else is
# needed but Python 3.11 or newer. Set-up is redone only when pyproject.toml or the pinned versions change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check
# The tests start hundreds of processes: none compiles our modules again, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

.PHONY: run test test-fast coverage docs lint mutation test-lowest test-python test-wheel pip-audit lock clean

# One thread: on small matrices, threads that wait for one another cost more than they save.
run: $(VENV)/.run-installed
	OMP_NUM_THREADS=1 $(BIN)/speckle run quickstart

test: lint
	$(PYTEST)

# What needs no PyTorch, Keras or TensorFlow, and starts few processes: a minute and a half.
test-fast: $(VENV)/.dev-installed
	$(PYTEST) -m "not framework and not slow"

# Fails below the share of pyproject.toml's `fail_under`. Processes that tests start are measured too.
coverage: $(VENV)/.dev-installed
	$(BIN)/coverage erase
	$(BIN)/coverage run $(wordlist 2,99,$(PYTEST))
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The pages as in the tests, and the pictures of the gallery, which its programs draw now.
docs: $(VENV)/.dev-installed
	rm -rf docs/auto_gallery
	$(BIN)/python -m sphinx -q -W --keep-going -b html -t gallery docs docs/_build

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/structure.py

# Half an hour: does a test fail when a line of analysis/, plugins/ or audit/ is changed? What is listed
# at the end survived; `mutmut show NAME` shows the change. Not part of `make test`.
mutation: $(VENV)/.dev-installed
	$(BIN)/mutmut run
	$(BIN)/mutmut results

# Every package is pinned with the SHA-256 of its files, for Linux; torch has a build for each kind of
# machine, so it is pinned without, and comes first with what it needs.
$(VENV)/.run-installed: pyproject.toml requirements/run.txt requirements/torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements/torch.txt
	$(INSTALL) --no-deps --require-hashes -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

# Packages are compiled by two processes at once; pip would take one, the tests would each compile theirs.
$(VENV)/.dev-installed: pyproject.toml constraints.txt requirements/torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements/torch.txt
	$(INSTALL) --no-deps --require-hashes -r constraints.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	-$(BIN)/python -m compileall -qq -j 2 $(VENV)/lib
	touch $@ $(VENV)/.run-installed

# Anew, after pyproject.toml has changed: needs uv and a package index.
LOCK := uv pip compile --quiet --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	--override requirements/torch-excluded.txt pyproject.toml requirements/lock.in
lock:
	$(LOCK) --extra dev -o constraints.txt
	$(LOCK) --extra torch -c constraints.txt -o requirements/run.txt

# What the core's tests need beside its own packages, and those that need no more.
CORE_TESTS := "pytest>=8.3,<9.2" pytest-xdist hypothesis
CORE := tests/data tests/experiment tests/analysis tests/test_run.py

# The core's tests with the oldest versions that pyproject.toml allows, in an environment of its own.
test-lowest:
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	uv pip compile --quiet --resolution lowest-direct pyproject.toml -o .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet -r .venv-lowest/lowest.txt $(CORE_TESTS)
	.venv-lowest/bin/python -m pip install --quiet --no-deps -e .
	.venv-lowest/bin/python -m pytest -q -W default $(CORE)

# The core's tests with another Python: make test-python PYTHON=python3.13
test-python:
	$(PYTHON) -m venv .venv-python
	.venv-python/bin/python -m pip install --quiet -e . $(CORE_TESTS)
	.venv-python/bin/python -m pytest -q -W default $(CORE)
	rm -r .venv-python

# The wheel with its torch extra in a clean environment runs the quickstart, at small size.
SMALL := grid.size=65 structure.patterns_per_count=20 classifier.epochs=1
test-wheel:
	rm -rf .venv-wheel
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip wheel --quiet --no-deps -w .venv-wheel/dist .
	.venv-wheel/bin/python -m pip install --quiet "$$(ls $$PWD/.venv-wheel/dist/*.whl)[torch]"
	cd .venv-wheel && bin/speckle run quickstart -o run $(SMALL:%=--set %)
	test -s .venv-wheel/run/report.html
	rm -r .venv-wheel

# Known weaknesses of the pinned packages; needs a network.
pip-audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r constraints.txt

clean:
	rm -rf $(VENV) .venv-lowest .venv-python .venv-wheel .venv-audit mutants .coverage* .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache
