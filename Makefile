# Each target sets up what it needs, so `make demo` and `make test` work in a fresh clone with Python 3.11+ and make.
# `.venv` is filled from requirements.lock once; after that no target but `lock` needs a network (Kafka's jars are
# fetched once too). Extra arguments go in by ARGS: make test ARGS="-k window", make demo ARGS="--seed 7".

BIN := .venv/bin
READY := .venv/ready
PYTHONS := python3.13 python3.12 python3.11 python3
ARGS ?=
KAFKA_PORT ?= 9092
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, each of the hundreds of processes that the tests start would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types bench accuracy chaos fuzz recipes soak docs kafka kafka-stop lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target does; do \
	  printf '  make %-12s %s\n' "$$target" "$$does"; done

demo: $(READY) ## a simulated shop with planted faults, through broker and workers to incidents
	@$(BIN)/tocsin demo $(ARGS)

test: $(READY) ## every test, with a real Kafka of its own where there is Java and Maven
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(READY) ## ruff (rules and format) and the import contracts between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(READY) ## mypy, strict, over the four packages and deploy/
	@$(BIN)/python -m mypy
	@$(BIN)/python -m mypy deploy

bench: $(READY) ## measure speed against the same job in plain Faust
	@$(BIN)/python -m benchmarks $(ARGS)

accuracy: $(READY) ## detection and causes on public data: ARGS="--data DIR"
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

chaos: $(READY) ## hundreds of faults on three real brokers; nothing may be lost or said twice
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(READY) ## a million broken inputs for each decoder
	@$(BIN)/python -m tests.fuzz $(ARGS)

recipes: $(READY) ## build the real producers that Go's proxy has, and run the recipes with them
	@$(BIN)/python -m deploy.otel
	@$(BIN)/python -m deploy.telegraf
	@$(BIN)/python -m pytest tests/kafka/test_collector.py tests/kafka/test_recipes.py $(ARGS)

soak: $(READY) ## half an hour at half of full speed: does anything grow
	@$(BIN)/python -m benchmarks soak $(ARGS)

docs: $(READY) ## write the parts of README and docs that come from the code
	@$(BIN)/python -m docs

kafka: | $(BIN)/python ## start a real Kafka on KAFKA_PORT (9092); does nothing if it runs
	@$(BIN)/python -m deploy.kafka start --port $(KAFKA_PORT)

kafka-stop: | $(BIN)/python ## stop it; its data stay in .kafka
	@$(BIN)/python -m deploy.kafka stop

lock: $(READY) ## write requirements.lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(BIN)/python -m uv pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  --quiet --output-file requirements.lock $(ARGS)

clean: ## stop Kafka and remove all that make has made, Kafka's data too
	@if [ -d .kafka ] && [ -x $(BIN)/python ]; then $(MAKE) --no-print-directory kafka-stop; fi
	rm -rf .venv .kafka .otel .peers .prometheus .telegraf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	  build dist

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Filling .venv from requirements.lock (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@$(BIN)/python -m streams.compile_ahead
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { without="$$python"; continue; }; \
	  echo "Making .venv with $$("$$python" -V)"; \
	  exec "$$python" -m venv .venv; \
	done; \
	if [ -n "$$without" ]; then \
	  echo "$$without has no venv module, which .venv needs (Debian and Ubuntu: apt install python3-venv)" >&2; \
	else \
	  echo "Tocsin needs Python 3.11 or newer; none of these is: $(PYTHONS)" >&2; \
	fi; exit 1
