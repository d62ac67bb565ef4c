# Python 3.11 or newer and make are all that is needed; everything else is installed into .venv.
PORT ?= 8000
DATA ?= .local
SPEED ?= 1
SAMPLE ?= 1
WORKERS ?= 2
TESTS ?= tests
STAGE ?= dev
PARAMETERS ?=
YES ?=
WITH_DATA ?=
NEW_KEY ?=
CONTACTS ?= 10000
KILLS ?= 200
FUZZ ?= 5000
REQUESTS ?= 20000

BIN := .venv/bin
# Named by what the requirements say, so that it is made again when they change, and only then.
READY := .venv/.ready-$(shell cat requirements.txt tests/requirements.txt | cksum | cut -d' ' -f1)

# npm writes this file last, so it is newer than the lock file only after a complete installation.
NODE_READY := tests/dashboard/node_modules/.package-lock.json

# Without bytecode files each of the hundred processes of the tests would compile all code again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test lint lint-dashboard bench peers torture build lock coldstart deploy destroy deploy-local openapi cli pictures clean

run: $(READY) ## run the local stack: PORT=8000 DATA=.local SPEED=1 SAMPLE=1 WORKERS=2
	@$(BIN)/python -m infra.local --port $(PORT) --data "$(DATA)" --speed $(SPEED) --sample $(SAMPLE) --workers $(WORKERS)

# By file, but for two folders (tests/conftest.py): they share what is slow to start. (loadgroup has no effect under pytest 9.2: xdist #1386.)
test: $(READY) ## run all tests, or TESTS=tests/unit
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

lint: $(READY) ## check style, format and types; the dashboard's JavaScript where Node.js is installed
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy --strict -p chalicelib -p infra -m app
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-dashboard; \
	else echo "npm is not installed: the dashboard's JavaScript is not checked."; fi

lint-dashboard: $(NODE_READY) ## check types and style of the dashboard's JavaScript; needs Node.js 20.19 or newer
	@cd tests/dashboard && npm run --silent check

bench: $(READY) ## measure calls, units and CPU per step
	@$(BIN)/python -m tests.bench

peers: $(READY) ## run the same campaign on Celery, DBOS and procrastinate for half an hour; needs Debian's redis-server and postgresql
	@$(BIN)/python -m tests.bench.peers

torture: $(READY) ## run the long suites: faults, fuzz, mutants, kills, and the API by schemathesis: FUZZ=5000 CONTACTS=10000 KILLS=200 REQUESTS=20000
	@$(BIN)/python -m tests.torture --fuzz $(FUZZ) --contacts $(CONTACTS) --kills $(KILLS) --requests $(REQUESTS) --json torture.json

build: $(READY) ## build and check the zip and the template for AWS in build/STAGE: STAGE=dev
	@$(BIN)/python -m infra.build --stage $(STAGE)

lock: $(READY) ## write infra/requirements.lock again after a change of requirements.txt
	@$(BIN)/python -m infra.build --lock

coldstart: $(READY) ## measure the cold start of each function of the built zip
	@$(BIN)/python -m infra.packaging.coldstart

deploy: $(READY) ## deploy the build to the account and region of your AWS credentials: STAGE=dev PARAMETERS="AlarmEmail=you@example.com" YES=1
	@$(BIN)/python -m infra.deploy deploy --stage $(STAGE) $(foreach each,$(PARAMETERS),--parameter "$(each)") $(if $(YES),--yes) $(if $(NEW_KEY),--new-key)

destroy: $(READY) ## delete the stack; tables, files and secrets stay unless WITH_DATA=1: STAGE=dev
	@$(BIN)/python -m infra.deploy destroy --stage $(STAGE) $(if $(YES),--yes) $(if $(WITH_DATA),--with-data)

deploy-local: $(READY) ## deploy the package to an AWS emulator on this machine: PORT=4566
	@$(BIN)/python -m infra.local.deployed --port $(if $(filter 8000,$(PORT)),4566,$(PORT))

cli: $(READY) ## use the command line with a running API: CARILLON_URL=… CARILLON_KEY=… make cli ARGS="flow watch 01J…"
	@$(BIN)/python -m infra.cli $(ARGS)

openapi: $(READY) ## record the examples of the API again and write infra/openapi.json
	@RECORD_EXAMPLES=1 $(BIN)/python -m pytest tests/integration/api/test_openapi.py -k examples && $(BIN)/python -m infra.openapi

pictures: $(READY) ## take the pictures of the dashboard for the README again; needs Chromium
	@$(BIN)/python -m tests.e2e.dashboard.pictures

clean: ## remove everything that make created except DATA
	@rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/dashboard/node_modules && find . -name __pycache__ -prune -exec rm -rf {} +

$(NODE_READY): tests/dashboard/package-lock.json
	@cd tests/dashboard && npm ci --silent

$(READY):
	@sh infra/local/bootstrap.sh $@
