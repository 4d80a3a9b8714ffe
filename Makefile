# `make help` lists what there is. A machine needs Python 3.11+, make and a package registry; set-up does the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# Processes that share the suite: one more than there are cores, as about half of the time is waiting. 0: none but pytest's own.
PROCESSES ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN || echo 2) + 1 )))
# Container images often set it: then each process of a suite that starts hundreds compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
# What `check --deploy` is asked about: settings as production has them. None of these values is used anywhere else.
PRODUCTION = DEBUG=0 SITE_URL=https://desk.example.com ALLOWED_HOSTS=desk.example.com \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
	LABEL_STUDIO_WEBHOOK_SECRET=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(32))') \
	LABEL_STUDIO_DOOR_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(32))')

.DEFAULT_GOAL := help
.PHONY: help setup run status down test test-long pytest faults coverage mutation lint format bench starter-adapter screenshots clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## Install everything into .venv and .venv-label-studio (only what changed; PYTHON=… chooses the interpreter)
	@command -v $(PYTHON) >/dev/null || { echo "No Python found: install Python 3.11 or newer, or set PYTHON=/path/to/it."; exit 1; }
	@$(PYTHON) requirements/install.py

run: setup ## Start the whole desk: console, Label Studio, workers (DEMO=0: an empty shop). Ctrl-C stops it
	@exec $(MANAGE) up

status: setup ## Show the parts of the running desk
	@$(MANAGE) status

down: setup ## Stop the running desk
	@$(MANAGE) down

test: lint pytest ## Lint, types, import contracts and the suite on real servers (docs/testing.md)

test-long: setup ## What takes minutes by nature: long stories, many seeds, hours of faults
	@$(BIN)/python -m pytest -m "long or faults" -n 0 -s $(ARGS)

pytest: setup
ifeq ($(CHROMIUM),)
	@echo "**********************************************************************************************"
	@echo "* SKIPPED: the browser tests. There is no Chromium here. On Debian: apt-get install chromium *"
	@echo "**********************************************************************************************"
endif
	@$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 8 $(ARGS)

faults: setup ## Kill workers and servers under load for about an hour: Valkey, Redis, RabbitMQ
	@$(BIN)/python -m pytest -m faults -n 0 -s $(ARGS) tests/faults

coverage: setup ## Run the suite and say for each app how much of its code it goes through
	@$(BIN)/python -m pytest -n $(PROCESSES) --cov --cov-report=term -q $(ARGS)

mutation: setup ## How many small faults of the most critical modules their tests find (half an hour)
	@$(BIN)/python -m tests.mutation.run $(ARGS)

lint: setup ## Format, style, types, import contracts, migrations, deployment checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@# Without a server it warns that it could not look at the history; the files are what is checked.
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING

format: setup ## Format the code and sort the imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Run one benchmark, e.g. make bench NAME=scoring
	@test -f "bench/$(NAME).py" || { echo "Say which: make bench NAME=<one of: $(basename $(notdir $(wildcard bench/*.py)))>"; exit 1; }
	@$(BIN)/python bench/$(NAME).py

starter-adapter: setup ## Train the adapter of the bundled copywriter anew, into var/starter-adapter (a quarter of an hour)
	@OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(MANAGE) train_starter_adapter --into var/starter-adapter

screenshots: setup ## Take the pictures of docs/images from the running desk
	@$(BIN)/python docs/screenshots.py

clean: ## Remove caches and virtual environments; var/, the data of the local stack, stays
	rm -rf .venv .venv-label-studio .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
