# Every target is one call of tools/make.py, which Windows users call directly: py tools\make.py lab
# More options: make lab ARGS="--gpu --port 8899 --no-browser"

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null && echo $$p && break; done)
MAKE_PY = @$(if $(strip $(PYTHON)),$(PYTHON) tools/make.py,echo "make: no Python found; install Python 3.11, 3.12 or 3.13" >&2; exit 1;)

.PHONY: help lab test quick execute format data

help: ;    $(MAKE_PY) --help
lab: ;     $(MAKE_PY) lab $(ARGS)
test: ;    $(MAKE_PY) test
quick: ;   $(MAKE_PY) quick
execute: ; $(MAKE_PY) execute $(NB)
format: ;  $(MAKE_PY) format
data: ;    $(MAKE_PY) data
