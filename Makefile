# Two commands matter: `make demo` and `make test`. The others are what they and .ci/run are made of.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DIST   ?= dist

# durable-rules is published as source only, and its 2.0.28 calls a function that CPython 3.13 took out.
CALL_FLAG := $(shell $(PYTHON) -c 'import sys; print("-DPyEval_CallObject=PyObject_CallObject" if sys.version_info >= (3, 13) else "")')

.PHONY: venv page fleet demo test lint types conformance whatif longrun evidence eval fuzz-parser bench bench-page bench-fleet fuzz-engine rule-docs wheel lock clean

venv: $(VENV)/ready

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 10) else "Python 3.10 or later is needed; name one with: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	CPPFLAGS="$(CPPFLAGS) $(CALL_FLAG)" $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m compileall -q oomadvisor
	touch $@

# What the page, the pictures and the local server need, and the driver of their tests in a browser: 37 MB more.
page: $(VENV)/page-ready

$(VENV)/page-ready: $(VENV)/ready requirements-page.lock
	CPPFLAGS="$(CPPFLAGS) $(CALL_FLAG)" $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-page.lock
	touch $@

# What fleets need (the engine, the files, the tables), and the object store of their tests.
fleet: $(VENV)/fleet-ready

$(VENV)/fleet-ready: $(VENV)/ready requirements-fleet.lock
	CPPFLAGS="$(CPPFLAGS) $(CALL_FLAG)" $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fleet.lock
	touch $@

demo: venv
	@$(BIN)/oomadvisor advise examples/seed-2.6.31-arm-order2.txt

test: venv
	$(BIN)/python -m pytest -n 2 -q

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: venv
	$(BIN)/mypy

conformance: venv
	@$(BIN)/python -m tests.checks.conformance $(or $(VECTORS),tests/vectors)

whatif: venv
	@$(BIN)/python -m tests.checks.whatif $(or $(RUNS),tests/runs)

evidence: venv
	@$(BIN)/python -m tests.checks.evidence $(or $(RUNS),tests/runs) $(if $(CHECK),--check)

longrun: venv
	@$(BIN)/python -m tests.checks.longrun $(or $(RUNS),tests/runs/price/longrun.tsv.gz) $(SEEDS)

eval: venv
	@$(BIN)/python -m tests.checks.evaluate $(or $(REPORTS),tests/reports)

# Guided by coverage where atheris is installed in the environment; it is no dependency.
fuzz-parser: venv
	@$(BIN)/python -m tests.parse.fuzz $(or $(SECONDS),60) $(SEED)

bench: venv
	@$(BIN)/python -m bench.speed
	@$(BIN)/python -m bench.rules

# The rule engine against the plain matcher and the definition, on random books, for an hour (or SECONDS=60).
fuzz-engine: venv
	OOMADVISOR_FUZZ_SECONDS=$(or $(SECONDS),3600) $(BIN)/python -m tests.rulebook.fuzz $(SEED)

# The pages in docs/ that are written from the rules and the kinds of fact.
rule-docs: venv
	$(BIN)/oomadvisor rules docs docs/rules --pack builtin
	$(BIN)/oomadvisor rules facts --format markdown --force -o docs/rule-facts.md

bench-page: page
	@$(BIN)/python -m bench.page

# A made-up fleet with known truth; FLEET="--incidents 100000 --mb 5000" for the large one, which takes hours.
bench-fleet: fleet
	@$(BIN)/python -m bench.fleet $(FLEET)

wheel: venv
	$(BIN)/python -m build --outdir $(DIST)

# For those who change a dependency: needs uv. The lock serves every Python from 3.10 and names no index.
lock:
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --extra dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --extra page --extra page-dev -c requirements.lock pyproject.toml -o requirements-page.lock
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --extra fleet --extra fleet-dev -c requirements.lock -c requirements-page.lock pyproject.toml \
		-o requirements-fleet.lock

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
