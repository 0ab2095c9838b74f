# `make demo` and `make test` each work alone on a machine that has only Python, make and git.

# The first Python that TensorFlow has wheels for and that can make a virtual environment.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench

export TF_CPP_MIN_LOG_LEVEL ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-slow test-backends fuzz proofs bench accuracy docs clean

help: ## Show these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 with venv found (Debian, Ubuntu: apt install python3-venv). Try: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[plot,test]'
	@touch $@

demo: $(READY) ## Train, save and reload a model whose loss is a formula (under a minute)
	@$(BIN)/lossdsl demo

test: lint ## Check style and types, then run the tests
	$(BIN)/python -m pytest -n auto -m 'not slow and not backends'

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-slow: $(READY) ## The tests that take minutes
	$(BIN)/python -m pytest -n auto -m slow

test-backends: $(READY) ## The same numbers on every backend that is installed
	$(BIN)/python -m pytest -m backends

FORMULAS ?= 100000
SEED ?= 1

fuzz: $(READY) ## Random formulas that are proved finite, run: FORMULAS=100000 of them from SEED=1 on, an hour or two on two cores
	$(BIN)/python tests/keras/fuzz_proof.py $(FORMULAS) $(SEED) --write

proofs: $(READY) ## How often proofs and alarms are right, of the library and of 209 formulas (ten minutes)
	$(BIN)/python -m benchmarks.proof --write

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(BENCH_READY) ## Speed and memory against losses by hand, Keras' own, JAX and torch (under ten minutes)
	$(BIN)/python -m benchmarks --write

accuracy: $(READY) ## Values and gradients of every loss against mpmath on hard data, beside Keras' own (ten minutes)
	$(BIN)/python -m benchmarks.accuracy --write

docs: $(READY) ## Write docs/library.md from the files of the library
	$(BIN)/python -c "from lossdsl import library_pages as p; open('docs/library.md', 'w', encoding='utf-8').write(p.markdown())"

clean: ## Remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
