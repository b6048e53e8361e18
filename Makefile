# `make` lists the commands. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m medml
# Give TORCH_INDEX=… to take PyTorch from another index, such as its CPU-only build.
TORCH_INDEX ?=
# make check ROOM=data NB=01, make notebooks NB=01
ROOM ?= .
NB ?=

.DEFAULT_GOAL := help
.PHONY: help book test check lab notebooks experiments student bench clean lint site

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

book: .venv/book site ## publish the HTML book to _build/html (needs no PyTorch)

test: .venv/data ## run every check: lint, units, notebooks, book, browser
	$(MAKE) lint
	$(BIN)/pytest --doctest-modules medml tests --ignore tests/book --ignore tests/peers
	$(BIN)/pytest --nbval notebooks --nbval-sanitize-with tests/nbval_sanitize.cfg
	$(MAKE) site
	$(BIN)/pytest tests/book

check: .venv/data ## daily loop, about a minute: make check ROOM=data NB=01
	$(MAKE) lint
	$(BIN)/pytest -q -m "not slow" --doctest-modules medml/$(ROOM) tests/$(ROOM) --ignore tests/book --ignore tests/peers
	$(if $(NB),$(BIN)/pytest -q --nbval notebooks/$(NB)_*.ipynb --nbval-sanitize-with tests/nbval_sanitize.cfg)

lab: .venv/data ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir notebooks

notebooks: .venv/data ## run notebooks and store their outputs: make notebooks NB=01
	$(RUN) book run $(NB)

experiments: .venv/data ## run the long experiments and store their results
	set -e; for script in experiments/*.py; do $(BIN)/python $$script; done

student: .venv/data ## write dist/student: no solutions, no outputs
	$(RUN) book student

bench: .venv-peers/ready .venv-simglucose/ready ## compare with peer libraries, in an environment of its own
	.venv-peers/bin/python -m medml data install
	.venv-peers/bin/python -m pytest tests/peers
	set -e; for script in benchmarks/*.py; do .venv-peers/bin/python $$script; done

clean: ## remove what was built; environments and data stay
	rm -rf _build dist book/generated .pytest_cache .ruff_cache .hypothesis

lint:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

site:
	[ _build/html/index.html -nt _toc.yml ] || rm -rf _build/html  # a page that left must not stay
	$(RUN) book pages
	$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going

# Installed once. A file that is damaged later is a failing test, not a silent repair.
.venv/data: requirements/data.txt medml/data/catalogue.toml .venv/course
	$(RUN) data install
	touch $@

define NEW_ENVIRONMENT
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and \
  "This is Python %d.%d; the course needs 3.11, 3.12 or 3.13: make PYTHON=python3.12" % sys.version_info[:2])'
$(PYTHON) -m venv
endef

.venv/bin/python:
	$(NEW_ENVIRONMENT) .venv

.venv/book: requirements/book.txt requirements/constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet -r requirements/book.txt
	touch $@

.venv/course: requirements/course.txt requirements/test.txt requirements/constraints.txt pyproject.toml | .venv/bin/python
	$(if $(TORCH_INDEX),$(BIN)/pip install torch torchvision -c requirements/constraints.txt --index-url $(TORCH_INDEX))
	$(BIN)/pip install --quiet -r requirements/test.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@ .venv/book

.venv-peers/ready: requirements/peers.txt requirements/constraints.txt pyproject.toml
	$(NEW_ENVIRONMENT) .venv-peers
	.venv-peers/bin/pip install --quiet -r requirements/peers.txt
	.venv-peers/bin/pip install --quiet --no-deps scikit-fingerprints==2.1.0
	.venv-peers/bin/pip install --quiet --no-deps --editable .
	touch $@

.venv-simglucose/ready: requirements/simglucose.txt
	$(NEW_ENVIRONMENT) .venv-simglucose
	.venv-simglucose/bin/pip install --quiet -r requirements/simglucose.txt
	touch $@
