# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.11 to 3.13, git and make; all else comes from PyPI into .venv.

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
WORKERS ?= 2
FUZZ_S ?= 3600
LONG ?= cross or long or campaign
SYNC := VIRTUAL_ENV=.venv $(BIN)/uv sync --quiet --active --frozen --inexact --all-extras

.PHONY: demo test lint unit long fuzz labs docs clean help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/installed: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "mlpress needs Python 3.11, 3.12 or 3.13 on PATH (or: make PYTHON=/path/to/python3.12)"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(SYNC)
	@touch $@

demo: .venv/installed  ## train a small classifier, press it into a printed circuit, show what it costs
	$(BIN)/python examples/demo.py

test: lint unit  ## everything that must hold: format, lint, types, tests

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: .venv/installed
	$(BIN)/python -m pytest -n $(WORKERS)

long: .venv/installed  ## the campaigns that `make test` only samples, and the checks that need cross compilers
	$(BIN)/python -m pytest -n $(WORKERS) -m "$(LONG)" -rs

fuzz: .venv/installed  ## mutated files for FUZZ_S seconds, 100 killed searches, 200 changed circuits
	$(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_S) --workers $(WORKERS) --out build/fuzz
	$(BIN)/python tests/faults/kills.py --kills 100
	$(BIN)/python tests/fuzz/mutations.py --mutations 200

labs: .venv/installed  ## run the labs' solutions and checks, make the students' notebooks and grade them
	$(SYNC) --group labs
	$(BIN)/python -m pytest -n $(WORKERS) -m guides tests/labs

docs: .venv/installed  ## run every code block of README and docs, build the site into build/site
	$(SYNC) --group docs
	$(BIN)/python -m pytest -m guides tests/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

clean:  ## remove what the other commands made
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
