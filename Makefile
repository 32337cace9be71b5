# make check   everything that has to hold before a commit; .ci/run runs this too
# make slow    the tests that take minutes, on src/: a run that learns sixteen pictures, and browsers
# make setup   an environment for working on the code, in .venv
#
# On Linux without a GPU, let pip find the CPU build of PyTorch (200 MB instead of gigabytes):
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make check

PYTHON ?= python3.11
MAIN := .venv-check
SCENES := .venv-check-scenes

.PHONY: setup check slow

setup:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv/bin/pip install --constraint constraints.txt --editable ".[train,gallery,film,tensorboard]" --group dev

# The tests run against the built and installed wheel, not against src/. Blender's module wants an
# older numpy than the rest, so the tests of the renderer have an environment of their own.
check: $(MAIN)/ready $(SCENES)/ready
	$(MAIN)/bin/ruff check .
	$(MAIN)/bin/ruff format --check .
	$(MAIN)/bin/mypy
	rm -rf dist build
	$(MAIN)/bin/pip wheel --quiet --no-deps --wheel-dir dist .
	for venv in $(MAIN) $(SCENES); do \
	    $$venv/bin/pip install --quiet --no-deps --force-reinstall dist/*.whl && \
	    $$venv/bin/python -c "import rocketman as r; assert 'site-packages' in r.__file__" || exit 1; \
	done
	$(SCENES)/bin/python -m pytest tests/scenes
	$(MAIN)/bin/python -m pytest --ignore tests/scenes

slow: $(MAIN)/ready
	PYTHONPATH=$(CURDIR)/src $(MAIN)/bin/python -m pytest -m slow --ignore tests/scenes

$(MAIN)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(MAIN)
	$(MAIN)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(MAIN)/bin/pip install --quiet --constraint constraints.txt ".[train,gallery,film,tensorboard]" --group dev
	touch $@

$(SCENES)/ready: pyproject.toml
	$(PYTHON) -m venv --clear $(SCENES)
	$(SCENES)/bin/pip install --quiet ".[scenes]" "pytest>=8"
	touch $@
