# make run | test | check | e2e | bench. Needs only Python 3.11+; everything else is installed into .venv.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
ARGS ?=
PY = .venv/bin/python

.PHONY: help setup run test check e2e bench secrets
.NOTPARALLEL:

help:
	@echo "make run [PORT=8000] [HOST=127.0.0.1] [FRESH=1]   start the demo city on this machine"
	@echo "make test [ARGS='tests/offices -k name']          the suite on SQLite and on PostgreSQL"
	@echo "make check                                        style, types, layers, migrations, deployment"
	@echo "make e2e [ARGS=...]                               the browser tests (needs chromium)"
	@echo "make bench [ARGS=...]                             the figures, beside their floors"
	@echo "make secrets                                      new secrets for a production .env"

setup:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "✗ 找不到 $(PYTHON)，请先安装 Python 3.11 或更高版本。" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "✗ 需要 Python 3.11 或更高版本（$(PYTHON) 是 $$($(PYTHON) -V 2>&1)）。可用 make PYTHON=python3.12 指定另一个。" >&2; exit 1; }
	@$(PYTHON) -m scripts.setup_env

run: setup
	@$(PY) -m scripts.run --host $(HOST) --port $(PORT) $(if $(filter 1 yes true,$(FRESH)),--fresh)

test: setup
	@$(PY) -m scripts.run_tests $(ARGS)

check: setup
	@$(PY) -m scripts.run_checks

e2e: setup
	@$(PY) -m scripts.run_e2e $(ARGS)

bench: setup
	@$(PY) -m scripts.bench $(ARGS)

secrets: setup
	@$(PY) -m scripts.new_secrets
