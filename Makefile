# What people, pre-commit and CI call. `make run` and `make test` work on a fresh checkout.

PYTHON ?= python3
UPSTREAM ?=
SCENARIO ?= cron-storm
FUZZ_SECONDS ?= 60
SEED ?=
HOURS ?= 1

VENV := .venv
BIN := $(VENV)/bin
# Ranges stand in pyproject.toml; what was tested together stands in constraints.txt.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SOURCES := proxy tests loadtest
SERVERS := .cache/servers/complete
ROOM_TESTS := $(filter-out tests/integration tests/support tests/fuzz,$(patsubst %/,%,$(wildcard tests/*/)) $(wildcard tests/test_*.py))

.DEFAULT_GOAL := help
.PHONY: help run demo loadtest simulate bench bench-relay install lint test test-unit fuzz clean
.PHONY: audit constraints soak

help:
	@echo "make run        start the proxy on 127.0.0.1:2121 (UPSTREAM=host[:port] for your server)"
	@echo "make demo       scripts that a server refuses and a firewall bans, then the same through ftpweir"
	@echo "make loadtest   your plan against both (SCENARIO=FILE.yaml, or the name of a shipped one)"
	@echo "make simulate   100 proxies with one budget, through a simulated hour; some minutes (HOURS=n)"
	@echo "make bench      what the proxy costs, beside HAProxy, nginx and mod_proxy; as root, 15 minutes"
	@echo "make bench-relay  the relay's loop alone: splice, copy, asyncio streams; seconds, not as root"
	@echo "make install    only $(VENV), with the command $(BIN)/ftpweir"
	@echo "make test       lint, then all tests; as root it installs the servers and clients they need"
	@echo "make test-unit  the tests that need neither root nor any other program"
	@echo "make fuzz       seven readers, and the running proxy, against what nobody expects (FUZZ_SECONDS=60 each, SEED=n)"
	@echo "make lint       formatting, style and types"
	@echo "make soak       ten minutes at full load: does anything grow? as root"
	@echo "make audit      is a weakness known of what we are built on? (needs a registry that tells)"
	@echo "make constraints  pin anew what constraints.txt says, to the newest that the ranges allow"
	@echo "make clean      remove what the others have made"

run: install
	$(BIN)/ftpweir run $(if $(UPSTREAM),--upstream $(UPSTREAM),--demo)

demo: install
	$(BIN)/ftpweir demo

loadtest: $(VENV)/tools
	$(BIN)/python -m loadtest run $(SCENARIO)

simulate: $(VENV)/tools
	$(BIN)/python -m loadtest simulate --hours $(HOURS)

bench: $(VENV)/tools servers
	$(BIN)/python -m loadtest bench --json .cache/bench.json --document docs/BENCHMARKS.md

bench-relay: $(VENV)/tools
	$(BIN)/python -m loadtest.bench.relay

install: $(BIN)/ftpweir

soak: $(VENV)/tools servers
	$(BIN)/python -m loadtest soak --warm-up 200 --json .cache/soak.json --svg .cache/soak.svg

lint: $(VENV)/tools
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy

# Most tests wait for servers, clocks and firewalls more than they compute: two at a time. A machine
# that others use too may slow a batch below 0.9 of its theoretical rate: that (RateMissed), and
# nothing else, is measured once more, and the summary tells of it.
test: lint servers
	$(BIN)/pytest --numprocesses 2 --dist loadfile --reruns 1 --only-rerun RateMissed

# Each target for FUZZ_SECONDS; the seed is printed, and what breaks a rule is kept in findings/.
fuzz: $(VENV)/tools
	$(PIP) --editable '.[fuzz]'
	for target in lines commands replies addresses listings proxy_headers configs; do \
	  $(BIN)/python -m tests.fuzz $$target $(FUZZ_SECONDS) $(SEED) || exit 1; \
	done
	$(BIN)/python -m tests.fuzz.protocol $(FUZZ_SECONDS) $(SEED)

# Exit codes: 0 nothing weak, 1 a weakness is known, 3 no registry could tell (make shows 2).
audit: $(VENV)/tools
	$(PIP) --editable '.[audit]'
	$(BIN)/python -m tests.support.audit

# The newest of everything that the ranges allow, in an environment of its own; then run the tests.
constraints:
	rm -rf .cache/constraints
	$(PYTHON) -m venv .cache/constraints
	.cache/constraints/bin/pip install --quiet '.[dev,loadtest,fuzz,audit]'
	sed -i '/^[^#]/d' constraints.txt
	.cache/constraints/bin/pip freeze --exclude ftpweir >> constraints.txt

test-unit: lint
	$(BIN)/pytest $(ROOM_TESTS)

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage *.egg-info

# A user who is not root may still have them, from `sudo tests/support/packages.sh`; if not, the
# tests that need them fail and say so.
.PHONY: servers
servers:
	@if [ ! -e $(SERVERS) ] && [ "$$(id -u)" = 0 ]; then tests/support/packages.sh; fi

$(BIN)/ftpweir: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/tools: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev,loadtest]'
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "ftpweir needs Python 3.11 or later: apt install python3 python3-venv, or PYTHON=/path/to/python3 make ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ftpweir needs Python 3.11 or later, and this is $$($(PYTHON) --version): PYTHON=/path/to/python3.11 make ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
