# Needs GNU make, Python >= 3.11 with its headers, and a C++17 compiler; everything else goes into $(VENV).
#
#   make test                     build, then the tests (minutes)
#   make test ARGS='-k ntt -x'    pytest's own arguments
#   make VENV=/path/to/venv test  use a virtual environment of your own
#   make PYTHON=python3.13 build  choose the interpreter

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
ARGS ?=
BENCH ?= $(patsubst bench/bench_%.py,%,$(wildcard bench/bench_*.py))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

PROBE := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
            "$$python" -c '$(PROBE)' >/dev/null 2>&1 && { echo "$$python"; break; }; done)
NO_PYTHON := fhe needs Python 3.11 or newer with venv, and found none. Install it (Debian, Ubuntu: apt install \
  python3 python3-venv python3-dev), or name yours: make PYTHON=/path/to/python3.
NO_HEADERS := fhe builds an extension and this Python has no headers (Python.h). Install them, for example \
  apt install python3-dev (Debian, Ubuntu) or dnf install python3-devel (Fedora).
NO_COMPILER := fhe builds a C++17 extension and found no compiler. Install one, for example apt install g++ (Debian, \
  Ubuntu), dnf install gcc-c++ (Fedora), xcode-select --install (macOS), or name yours: make CXX=/path/to/c++.
HEADERS := import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))
EXTRA := import sys, tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
  print(*extras[sys.argv[1]], sep="\n")

EXTRAS := ml test build dev bench docs
COMPILED := setup.py $(shell find csrc -type f -not -name '*.md') $(wildcard fhe/reference/residue.p*)

.PHONY: help build demo test test-all fuzz lint wheel test-wheel docs bench bench-cycles bench-compare clean

help:
	@echo 'make build     compile the native core and the compiled reference into a virtual environment ($(VENV))'
	@echo 'make demo      a model that scores encrypted data, beside its clear twin       (ARGS=…)'
	@echo 'make test      the tests                                                       (ARGS=… for pytest)'
	@echo 'make test-all  those marked wide too: mutations, sanitizers, many more examples'
	@echo 'make fuzz      foreign bytes, guided by coverage, from where it stopped          (ARGS=…)'
	@echo 'make lint      ruff, mypy, clang-format, codespell'
	@echo 'make wheel     an sdist and a wheel in dist/, for other machines of this kind'
	@echo 'make test-wheel     the wheel in a bare environment: no compiler, no checkout'
	@echo 'make docs      the pages of docs/ and of all public names, in docs/_build/html'
	@echo 'make bench     microbenchmarks of kernels and schemes                          (BENCH=kernels, ARGS=…)'
	@echo 'make bench-cycles   our kernels in cycles, beside what the ports of this core allow  (ARGS=…)'
	@echo 'make bench-compare  beside other libraries, installed into .peers            (ARGS=--full, FHE_PEERS=…)'
	@echo 'make clean     remove what these commands made'

build: $(VENV)/.built

demo: $(VENV)/.ml
	@$(BIN)/python -m fhe demo $(ARGS)

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q $(ARGS)

test-all: $(VENV)/.test $(VENV)/.build $(VENV)/.docs
	@FHE_TEST_PROFILE=wide $(BIN)/python -m pytest -q --cov=fhe $(ARGS)

fuzz: $(VENV)/.test
	@$(PIP) atheris || echo 'no atheris for this Python: the Python entries are left out'
	@$(BIN)/python -m tests.fuzz.campaign $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@find csrc bench tests -name '*.[chi][pn][pl]' | xargs $(BIN)/clang-format --dry-run -Werror
	@git ls-files | xargs $(BIN)/codespell

# A wheel built on this Linux runs on those with a C library at least as old as its symbols ask for: auditwheel says.
wheel: $(VENV)/.wheel
	@rm -rf dist build/wheel && mkdir -p dist build/wheel
	@$(BIN)/python -m build --outdir build/wheel . >build/wheel.log 2>&1 || { cat build/wheel.log >&2; exit 1; }
	@mv build/wheel/*.tar.gz dist
	@if [ "$$(uname)" = Linux ]; then PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist \
	  build/wheel/*.whl 2>build/wheel.log || { cat build/wheel.log >&2; exit 1; }; else mv build/wheel/*.whl dist; fi
	@ls -l dist

test-wheel: wheel
	@$(BIN)/python release/test_wheel.py $(ARGS)

docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx -W --keep-going -E -q -b html docs docs/_build/html $(ARGS)
	@echo 'docs/_build/html/index.html'

bench: $(VENV)/.bench
	@$(BIN)/python -m pytest -q $(BENCH:%=bench/bench_%.py) $(ARGS)

bench-cycles: $(VENV)/.bench
	@$(BIN)/python -m bench.cycles $(ARGS)

bench-compare: $(VENV)/.bench
	@$(BIN)/python -m bench.compare $(ARGS)

clean:
	rm -rf .venv build dist fhe.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks bench/results
	rm -rf docs/_build docs/reference
	rm -f $(VENV)/.built $(VENV)/.wheel $(EXTRAS:%=$(VENV)/.%)
	find fhe -name '*.so' -delete
	find fhe tests bench -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo '$(NO_PYTHON)' >&2; exit 1; }
	@$(PYTHON) -c '$(HEADERS)' || { echo '$(NO_HEADERS)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.built: $(BIN)/python pyproject.toml $(COMPILED)
	@command -v $(CXX) >/dev/null || { echo '$(NO_COMPILER)' >&2; exit 1; }
	@echo 'building fhe in $(VENV) (a minute or two)'
	@$(PIP) --editable .
	@touch $@

# One build serves every extra; an extra adds its requirements.
$(EXTRAS:%=$(VENV)/.%): $(VENV)/.%: $(VENV)/.built
	@$(BIN)/python -c '$(EXTRA)' $* | $(PIP) --requirement /dev/stdin
	@touch $@

# Building a wheel makes an environment of its own, and needs nothing built here.
$(VENV)/.wheel: $(BIN)/python pyproject.toml
	@$(BIN)/python -c '$(EXTRA)' wheel | $(PIP) --requirement /dev/stdin
	@touch $@
