# One environment in .venv, made once; every target that needs it makes it first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
CLASS := build/sample_class
LOWEST := build/lowest
USER_ID := $(shell id -u)
export OMP_NUM_THREADS ?= 1

.PHONY: grade test test-lowest packages lab screenshots build preview translations site lint format bench clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[grading,hub,cluster,postgresql,site,test]'
	$(BIN)/npm install --silent --global --prefix $(VENV) configurable-http-proxy@5.3.0 @fontsource/stix-two-math@5.3.0
	@touch $@

grade: $(STAMP)  ## build the notebooks, grade the sample class, print the table
	$(BIN)/autograder build
	rm -rf $(CLASS)
	$(BIN)/autograder sample $(CLASS)
	$(BIN)/autograder grade --course $(CLASS) u1 || test $$? -eq 3

test: packages lint  ## the linters, then the whole test suite
ifneq ($(USER_ID),0)
	@echo "tests/hub is left out: it starts JupyterHub on a machine of its own, which only root can make"
endif
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(filter 0,$(USER_ID)),,--ignore=tests/hub)

test-lowest:  ## the oldest release of every library that pyproject.toml allows, in an environment of its own
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check packaging
	$(LOWEST)/bin/python .ci/lowest.py > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -c $(LOWEST)/constraints.txt torch
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -c $(LOWEST)/constraints.txt -e '.[grading,hub,cluster,postgresql,test]'
	rm -rf $(CLASS)
	$(LOWEST)/bin/autograder build --check
	$(LOWEST)/bin/autograder sample $(CLASS)
	$(LOWEST)/bin/autograder grade --course $(CLASS) u1 || test $$? -eq 3
# Old libraries beside new ones warn of what has changed between them.
	$(LOWEST)/bin/python -m pytest -n 2 --dist loadfile -o filterwarnings=default --ignore=tests/autograder/site tests/helpers tests/autograder

packages:  ## Debian's packages that the tests need: installed by root, named to anybody else
	@if [ "$(USER_ID)" -eq 0 ] && command -v apt-get >/dev/null; then .ci/install; else .ci/install || true; fi

lab: $(STAMP)  ## JupyterLab on a folder of the learner's own, ../my_attention, made the first time
	$(BIN)/jupyter lab --config jupyter_lab_config.py $(if $(filter 0,$(shell id -u)),--allow-root)

screenshots: $(STAMP)  ## the pictures in docs/ and in unit 0, taken by the browser tests
	SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser
	$(BIN)/autograder build u0

build: $(STAMP)  ## solutions to notebooks
	$(BIN)/autograder build

preview: $(STAMP)  ## execute the sources and lay their figures out; UNIT=u2 for one
	$(BIN)/autograder preview $(UNIT)

translations: $(STAMP)  ## how much of the course is translated, by unit and language
	$(BIN)/autograder translations

site: $(STAMP)  ## the course as a site to read, in build/site/html
	$(BIN)/autograder site

lint: $(STAMP)  ## style, types, and the order of rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python benchmarks/desk.py
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/attacks.py

clean:
	rm -rf build source .pytest_cache .ruff_cache .import_linter_cache
