# `make demo` and `make test` each do all their set-up: a .venv and the pinned install (Python 3.11 or newer).
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK_VENV := .venv-lock

.PHONY: demo test soak bench peers lint setup lock clean
.DEFAULT_GOAL := demo

demo: setup
	@$(BIN)/mailtrace-mcp demo

test: setup lint peers
	$(BIN)/pytest

# A real Postfix cluster in namespaces of this machine, traced over SSH; writes docs/journeys.md. Without
# root it says what is missing, and is content.
.PHONY: lab
lab: setup peers
	$(BIN)/pytest -rs tests/e2e

# The real sshd, Postfix and others that tests talk to: installed where that may be done, else skipped.
peers:
	@tests/install-peers

# The tests that look for what happens seldom, at length: ten minutes.
soak: setup peers
	MAILTRACE_SOAK=1 $(BIN)/pytest -m soak

# How fast it is, as ratios to programs that everybody has: make bench SIZE=1G ONLY=T1,T9 REPORT=FILE
bench: setup peers
	@$(BIN)/python -m bench --size $(or $(SIZE),100M) $(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report $(REPORT))

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

setup: $(STAMP)

# A name may exist and not run (a version manager's shim), so each is tried.
$(STAMP): requirements.lock pyproject.toml
	@set -e; found=; \
	for name in $${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "mailtrace-mcp needs Python 3.11 or newer: none of python3.11 … python3 is one. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; \
	fi; \
	if ! "$$found" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  echo "$$found cannot make a virtual environment: install its venv package (Debian, Ubuntu: apt-get install python3.11-venv)" >&2; exit 2; \
	fi; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

# Pins anew for every Python and platform the project runs on, with the hashes of all published files.
lock:
	python3 -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install --quiet uv
	$(LOCK_VENV)/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements.lock

clean:
	rm -rf $(VENV) $(LOCK_VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
