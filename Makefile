PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONSTRAINTS ?= constraints.txt
INSTALL := $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS)

.PHONY: demo test browser test-oldest test-newest fuzz lint types packages docs clean

demo: $(VENV)/.installed
	$(BIN)/python -m skotkge demo

test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_OPTIONS)

# What the tests of the page need beside the others: Playwright's client, and Chromium of the system.
browser: $(VENV)/.installed-browser
	command -v chromium || { apt-get update && apt-get install --yes --no-install-recommends chromium; }

# Downloads some gigabytes where there is no build of that torch without CUDA.
test-oldest:
	$(MAKE) test VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt

# Whatever pip gives without constraints today. Warnings of libraries that are newer than this one do not count as errors.
test-newest:
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=/dev/null PYTEST_OPTIONS="-W default::DeprecationWarning -W default::FutureWarning"

# Ten thousand random tables, read back, and a hundred thousand bad inputs; the tests have 200 and 1000.
fuzz: $(VENV)/.installed-test
	$(BIN)/python tests/graph/test_fuzz.py 10000
	$(BIN)/python tests/test_bad_input.py 100000

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# A user's script is checked against the types that the package declares.
types: $(VENV)/.installed-types
	$(BIN)/python -m mypy
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

# Builds sdist and wheel in build/packages, checks them, and runs the tests of the unpacked sdist against the wheel: all,
# or those of PACKAGE_TESTS.
packages: $(VENV)/.installed-packaging $(VENV)/.installed-test
	$(BIN)/python tools/check_packages.py $(PACKAGE_TESTS)

# The API pages are written anew each time: one of a name that is no more would be a warning.
docs: $(VENV)/.installed-docs
	rm -rf docs/api/generated
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf $(VENV) docs/_build docs/auto_examples docs/api/generated

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch comes first and alone: its pinned build must be in place before any other package asks for "torch".
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) torch
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	$(INSTALL) --editable ".[$*]"
	touch $@
