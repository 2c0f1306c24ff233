# coopwire: `make` lists what can be made. Only Python 3.11+ and make are needed; the rest is installed here.
# Paths are relative and quoted, so the tree may stand in a folder with spaces in its name.
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
# The proofs start some hundred processes: compiled once, they start in half the time.
export PYTHONDONTWRITEBYTECODE :=
BIN := .venv/bin
.DEFAULT_GOAL := help

help:  ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup:  ## install everything into .venv; leaves .venv/bin/coopwire
	@sh scripts/bootstrap

demo: setup  ## play a day of repayments over simulators and prove it (ARGS=--keep leaves it running)
	@$(BIN)/coopwire demo $(ARGS)

test: checked  ## everything that must be green, proofs at their quick counts (ARGS go to pytest)
	@$(BIN)/pytest -n 6 --dist worksteal -m 'not whole' $(ARGS)

test-all: checked  ## the same with every proof at its whole count
	@PROOF=whole $(BIN)/pytest -n 6 --dist worksteal -m '' $(ARGS)

checked: setup  ## lint and docs-check side by side, and the tests compiled
	@$(MAKE) -j2 lint docs-check collected

# Workers that begin together would each compile every test for themselves. What cannot be collected they tell.
collected: setup  ## compile the tests
	@$(BIN)/pytest --collect-only -q >/dev/null || true

lint: setup  ## ruff, formatting, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict src
	@$(BIN)/lint-imports --no-logo

docs: setup  ## write the generated pages of docs/ again
	@$(BIN)/coopwire docs

docs-check: setup  ## fail if a generated page of docs/ is out of date
	@$(BIN)/coopwire docs --check
	@$(BIN)/coopwire events check

bench: setup  ## run a benchmark: make bench BENCH=name (without BENCH: list them)
ifdef BENCH
	@$(BIN)/python "bench/$(BENCH).py" $(ARGS)
else
	@echo 'make bench BENCH=name, with one of:'
	@cd bench && for file in [a-z]*.py; do \
	  if [ -f "$$file" ]; then printf '  %-16s %s\n' "$${file%.py}" "$$(sed -n '1s/^"""//; 1s/"""$$//; 1p' "$$file")"; fi; \
	done
endif

clean:  ## remove what make installed and the tools' caches; never the data in .coopwire
	@rm -rf .venv .tools build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find src tests bench -type d -name __pycache__ -prune -exec rm -rf '{}' +

.PHONY: help setup demo test test-all checked collected lint docs docs-check bench clean
