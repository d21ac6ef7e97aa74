# Everything a newcomer needs: `make demo`, `make test`. Each installs what it needs into .venv and nowhere else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
NATIVE := $(wildcard src/hinomi/*/native/*.[ch])

.PHONY: help setup demo test check wheel lint types imports deps unit rules docs bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready $(VENV)/.native ## Make the virtual environment with all that is needed

$(VENV)/.ready: pyproject.toml constraints.txt tools/make_venv.sh
	PYTHON="$(PYTHON)" sh tools/make_venv.sh "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'  # dependency groups
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e ".[console,online,postgresql]"
	touch $@

# The compiled core, built beside its sources; without a compiler or Python.h the same work is done in Python.
$(VENV)/.native: $(VENV)/.ready $(NATIVE) hatch_build.py
	$(BIN)/python hatch_build.py -Werror
	touch $@

demo: setup ## The main job on the bundled reports: a compromised replica, then this host
	$(BIN)/python -m hinomi.examples.demo demo

wheel: setup
	rm -rf dist && $(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

deps: setup
	$(BIN)/deptry src

# The tests run against the wheel, installed apart, so that a file missing from the wheel fails them.
unit: wheel
	rm -rf build/wheel && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/wheel dist/*.whl
	PYTHONPATH=build/wheel $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

rules: setup ## Lint the rules and run their cases alone; `unit` does both as well
	$(BIN)/hinomi rule lint && $(BIN)/hinomi rule test

test: lint types imports deps unit ## Everything that must hold: style, types, layers, tests on the wheel, rule cases

docs: setup ## Write the generated pages under docs/
	$(BIN)/python tools/make_docs.py && $(BIN)/python tools/readme_output.py

bench: setup ## Measure beside the peers that are installed
	$(BIN)/python -m benchmarks

clean:
	rm -f src/hinomi/*/native/*.so
	rm -rf $(VENV) dist build demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
