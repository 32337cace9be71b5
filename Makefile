# make check   everything that has to hold before a commit; .ci/run runs this too
# make setup   an environment for working on the code, in .venv
#
# On Linux without a GPU, let pip find the CPU build of PyTorch (200 MB instead of gigabytes):
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make check

PYTHON ?= python3.11
CHECK := .venv-check
EXTRAS := train,scenes

.PHONY: setup check

setup:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv/bin/pip install --constraint constraints.txt --editable ".[$(EXTRAS)]" --group dev

# The tests run against the built and installed wheel, not against src/.
check: $(CHECK)/ready
	rm -rf dist build
	$(CHECK)/bin/pip wheel --quiet --no-deps --wheel-dir dist .
	$(CHECK)/bin/pip install --quiet --no-deps --force-reinstall dist/*.whl
	$(CHECK)/bin/ruff check .
	$(CHECK)/bin/ruff format --check .
	$(CHECK)/bin/mypy
	$(CHECK)/bin/python -c "import rocketman as r; assert 'site-packages' in r.__file__, r.__file__"
	$(CHECK)/bin/python -m pytest

$(CHECK)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(CHECK)
	$(CHECK)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(CHECK)/bin/pip install --quiet --constraint constraints.txt ".[$(EXTRAS)]" --group dev
	touch $@
