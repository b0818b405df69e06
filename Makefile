# The four verbs a newcomer needs, and `lock` for whoever changes a dependency.
PYTHON ?= python3
BIN = .venv/bin
# Extras stay in the pins: without them pip looks for the newest `pydantic[email]`, which has no hash here.
LOCK = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-strip-extras

.PHONY: setup check test run lock

setup:                  ## make .venv with everything, tests included
	$(PYTHON) run.py test --version

check: setup            ## style, types, import rules
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

test:                   ## the whole suite
	$(PYTHON) run.py test

run:                    ## serve
	$(PYTHON) run.py

lock:                   ## pin pyproject.toml's dependencies with hashes (needs uv); add UPGRADE=--upgrade for newer versions
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements.txt
	$(LOCK) $(UPGRADE) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
