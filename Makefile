# make app    create .venv, install, open the explorer on the bundled run (http://127.0.0.1:8501)
# make test   the same, plus all that the tests need, then lint, types and every test
PYTHON ?= python3.11
PORT ?= 8501
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: app test lint unit demo audit clean

app: .venv/app
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/dev .venv/browser lint unit

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The bundled run, trained anew with the command that its run.json records.
demo: .venv/app
	$(BIN)/python benchmarks/make_demo.py

# Known vulnerabilities of all pinned packages; needs a network. Exit 1: some were found; exit 2: nobody could be asked.
audit: .venv-audit/ready
	@.venv-audit/bin/python tests/audit.py

.venv-audit/ready: requirements-audit.txt
	test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit || python3 -m venv .venv-audit
	.venv-audit/bin/pip install -q -r requirements-audit.txt
	touch $@

.venv/app: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/python -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" || \
		{ echo "EdgeNES Explorer needs Python 3.11; set it with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(BIN)/pip install -q -r requirements.txt
	$(BIN)/python -m edgenes_core.compiled
	touch $@

.venv/dev: .venv/app requirements-dev.txt requirements-auth.txt
	$(BIN)/pip install -q -r requirements-dev.txt
	touch $@

# A browser for the end-to-end tests: one on PATH, else Debian's, else Playwright's; without any, those tests are skipped.
.venv/browser: .venv/dev
	sh tests/e2e/install_browser.sh $(BIN)/playwright
	touch $@

clean:
	rm -rf .venv .venv-audit .pytest_cache .mypy_cache .ruff_cache .hypothesis
