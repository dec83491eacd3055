# The project's commands; `make help` explains them.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { echo $$p; break; }; done)
BIN := .venv/bin
CATALOGUES := $(foreach l,fr en es ar,translations/$(l)/LC_MESSAGES/messages.mo)
PORT ?= 8000
export PORT

.PHONY: help run test install sure bench drills translations assets format
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/demo.stamp $(CATALOGUES) ## start the demonstration at http://127.0.0.1:8000 (PORT= to change); Ctrl-C stops it
	@exec $(BIN)/python -m portal.embedded

test: .venv/dev.stamp $(CATALOGUES) ## the whole suite (REQUIRE_BROWSER=1: fail without a Chromium)
	@exec $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(PYTEST)

install: .venv/dev.stamp ## .venv/ with the locked dependencies

sure: .venv/dev.stamp ## format, lint, types, import contracts, translations, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --check --quiet portal auth services admin
	$(MAKE) test

format: .venv/dev.stamp ## format the code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

bench: .venv/dev.stamp ## the benchmarks, one JSON line each (NAME= for one)
	@exec $(BIN)/python -m tests.bench $(NAME)

drills: .venv/dev.stamp $(CATALOGUES) ## break things while the portal runs, one JSON line each (NAME=, SEED=, ROUNDS=)
	@SEED=$(SEED) ROUNDS=$(ROUNDS) exec $(BIN)/python -m tests.drills $(NAME)

translations: .venv/dev.stamp ## collect the messages of the code and update the catalogues
	$(BIN)/pybabel -q extract -F babel.cfg -k _l -k lazy_gettext --no-wrap --sort-by-file --add-location=file --project=Parvis -o translations/messages.pot .
	for l in fr en es ar; do $(BIN)/pybabel -q update -i translations/messages.pot -d translations -l $$l --no-fuzzy-matching --no-wrap --ignore-pot-creation-date --ignore-obsolete; done

assets: ## rebuild the style sheets and scripts (needs Node.js)
	cd assets && npm ci --ignore-scripts && node build.mjs

%.mo: %.po | .venv/demo.stamp
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

# The stamps: an environment is made again when its lock file changes.
.venv/dev.stamp: requirements/dev.lock pyproject.toml
	@./tools/install "$(PYTHON)" dev
	@touch .venv/demo.stamp $@

.venv/demo.stamp: requirements/demo.lock pyproject.toml
	@./tools/install "$(PYTHON)" demo
	@touch $@
