# esnfed: `make` alone prints what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run check test lint format bench lock clean packages

BIN := .venv/bin
ARGS ?=
PYTEST := $(BIN)/python -m pytest
# What `make check` runs besides lint: the unit tests, and two nodes that talk to each other.
QUICK := tests/unit $(wildcard tests/federation/test_two_nodes*.py)

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.ready ## start the demo network on this machine (options in ARGS="...")
	@exec $(BIN)/esnfed demo $(ARGS)

check: lint ## before each commit: lint, unit tests, two nodes; two minutes at most
	$(PYTEST) -n auto --dist loadfile $(QUICK) $(ARGS)

test: packages .venv/.ready ## everything, in parallel by file; installs what it needs
	$(PYTEST) -n auto --dist loadfile $(ARGS)

lint: .venv/.ready ## formatting, errors, types, layers, sizes, catalogues
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/size_check.py
	$(if $(wildcard tools/catalogues.py),$(BIN)/python tools/catalogues.py check)

format: .venv/.ready ## rewrite the code in the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.ready ## measure: CPU per operation, against bare limits of the same run
	$(BIN)/python -m tests.bench $(ARGS)

lock: .venv/.ready ## choose the versions of requirements.lock again, from the ranges of pyproject.toml
	tools/lock $(ARGS)

clean: ## remove the environment, the caches and what was built; demo data stays
	rm -rf .venv .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find esnfed tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@tools/packages

.venv/.ready: requirements.lock pyproject.toml tools/environment
	@tools/environment
	@touch $@
