# maysend: may this login send as this sender, to this recipient, and why?
# `make` lists what can be done. Only python3, make and the package registries are needed.

.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := $(VENV)/.compiled
WORKERS ?= 2
FUZZ_SECONDS ?= 60
TARGETS ?=

.PHONY: help
help: ## List these targets
	@echo "make TARGET, where TARGET is one of:"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 16

.PHONY: setup
setup: $(READY) ## Make the virtual environment with everything pinned
$(READY): pyproject.toml requirements.lock requirements-dev.lock requirements-ldap.lock tools/make_venv
	tools/make_venv $(VENV)
	@touch $@

.PHONY: compiled
compiled: $(COMPILED) ## Compile what a decision runs through most, where there is a C compiler
$(COMPILED): $(READY) tools/compile_modules $(shell find src -name '*.py')
	@tools/compile_modules $(VENV)
	@touch $@

.PHONY: pure
pure: ## Forget what was compiled: then every change of the source counts at once
	find src -name '*.so' -delete
	rm -f $(COMPILED)

.PHONY: demo
demo: $(READY) ## Run a submission gateway with sample accounts, and print what to try
	@$(BIN)/maysend demo

.PHONY: test
test: $(COMPILED) ## Install the servers that tests drive (root on Debian) and run all tests
	@tools/install_servers
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: check
check: $(READY) ## Lint, types, import floors, and generated pages that drifted
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/from_source.py tools/reference_pages.py --check

.PHONY: docs
docs: $(READY) ## Write the pages under docs/reference that come from docstrings
	$(BIN)/python tools/from_source.py tools/reference_pages.py

.PHONY: differential
differential: $(COMPILED) ## Compare long with the installed Postfix: sessions and lookups
	@tools/install_servers
	MAYSEND_REQUIRE_ALL=1 \
	MAYSEND_SESSIONS=$${MAYSEND_SESSIONS:-88000} \
	MAYSEND_LOOKUPS=$${MAYSEND_LOOKUPS:-1000000} \
	MAYSEND_SQL_LOOKUPS=$${MAYSEND_SQL_LOOKUPS:-20000} \
	MAYSEND_SERVER_LOOKUPS=$${MAYSEND_SERVER_LOOKUPS:-20000} \
	MAYSEND_ADDRESSES=$${MAYSEND_ADDRESSES:-100000} \
	MAYSEND_DNS_SESSIONS=$${MAYSEND_DNS_SESSIONS:-12000} \
	MAYSEND_TABLE_PAIRS=$${MAYSEND_TABLE_PAIRS:-10000} \
	MAYSEND_MAINCF_BATCHES=$${MAYSEND_MAINCF_BATCHES:-300} \
		$(BIN)/python -m pytest -n $(WORKERS) tests/differential tests/lint/test_shadowing.py -s

.PHONY: fuzz
fuzz: $(READY) ## Fuzz every parser with atheris, FUZZ_SECONDS each (TARGETS=… for some only)
	$(BIN)/pip install -qq --disable-pip-version-check --requirement requirements-fuzz.lock
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS) $(TARGETS)

.PHONY: bench
bench: $(COMPILED) ## Measure, each line as NAME ours=… peer=… ratio=…
	@tools/install_servers
	@set -e; for script in bench/bench_*.py; do $(BIN)/python $$script; done

.PHONY: clean
clean: pure ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz disagreements
