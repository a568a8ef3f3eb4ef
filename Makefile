# make demo: the made-up world to a report.  make test: every test that needs no cluster, no GPU, no outside data.
PYTHON ?= python3
PIP_ARGS ?=
CORES ?= 2
BIN = .venv/bin
LOCK = envs/requirements.lock
TORCH = $(shell sed -n 's/^torch==/torch==/p' $(LOCK))

.PHONY: demo demo-pretrained real test test-long test-all test-real test-slurm test-gpu test-kill test-mutants paper-mini fuzz segmenters mteb search bench bench-large bench-gpu lint reference clean clean-results

# make demo-pretrained: real languages, from a package index and public addresses or SWITCHRANK_DATA.
demo demo-pretrained: .venv/ready
	$(BIN)/snakemake --cores $(CORES) --configfile config/$@.yaml
	@$(BIN)/switchrank evaluate show --tables results/$@/tables
	@echo "report: results/$@/report.zip"

# The real runs whose data are here, else the one whose data are public: what, and how long, is told first.
real: .venv/ready
	CORES=$(CORES) .ci/real

# What protects results on every change, over several processes (tests/conftest.py says what stays together); the folders
# that take longest go first.
SPREAD = -n $(CORES) --dist loadscope --no-loadscope-reorder
TESTED = tests/smoke tests/kill tests/dag tests/unit tests/fuzz
test: .venv/ready
	$(BIN)/python -m pytest $(SPREAD) -m "not long" $(TESTED)

# What the folders above hold besides, but for the other kills: keys changed one by one, a second run that is killed.
test-long: .venv/ready
	$(BIN)/python -m pytest $(SPREAD) -m long $(filter-out tests/kill,$(TESTED))

# Before a release or a merge of much: all of the above and all of the below. What is left out is told at the end.
test-all: .venv/ready
	.ci/all

# The published experiment in small, to its report, in a folder of its own.
paper-mini: .venv/ready
	$(BIN)/python -m pytest tests/mini

test-real: .venv/ready
	$(BIN)/python -m pytest tests/real

# The smoke config on a one-node Slurm, which is started from Debian's packages (root on Debian) and stopped again.
test-slurm: .venv/ready
	$(BIN)/python -m pytest -rsP tests/slurm

# What needs a GPU, beside `make bench-gpu`; DEVICE=cpu tries the tests themselves elsewhere.
test-gpu: .venv/ready
	$(BIN)/python -m pytest -rs tests/gpu

# A small run killed at 40 seeded moments, then every other fault: full disks, damaged files, two starts at once.
test-kill: .venv/ready
	$(BIN)/python -m pytest -s tests/kill

# Changes of one line that would make a result wrong in silence, each with the test that must fail: a few minutes;
# ONLY="clip-nothing rate-floor" makes some of them.
test-mutants: .venv/ready
	$(BIN)/python -m tests.mutants.run --jobs $(CORES) $(ONLY)

# Each part beside its peers, at most 35 minutes on two cores; ONLY="rank switch" runs some of them.
bench bench-large bench-gpu: .venv/bench
	$(BIN)/python -m tests.benchmarks --scale $(subst bench,small,$(@:bench-%=%)) $(if $(ONLY),--only $(ONLY)) --write docs/benchmarks.md

# Coverage-guided fuzzing: SECONDS for each parser, all of them or those that ONLY names.
SECONDS ?= 20
ONLY ?=
fuzz: .venv/fuzz
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(ONLY)

# A page in the browser that searches the demo's documents with its models, or documents of your own in all languages that
# a dual encoder knows: make search ENCODER=e5-small-q4 DOCS=docs.tsv; more by RANKER= and LEXICONS=; SERVE=--overwrite
# makes the index anew.
ifndef ENCODER
DEMO = results/demo
SPOKEN = en qaa qab qac qad
ENCODER = $(DEMO)/models/hybrid/xx-xx/seed1
RANKER = $(DEMO)/models/ml-cs/xx-xx/seed1
LEXICONS = $(wildcard $(DEMO)/lexicons/clwe/en-*.parquet)
DOCS = $(DEMO)/search/documents.parquet
search: $(DOCS)
$(DOCS): .venv/ready
	@test -f $(ENCODER)/train.json || { echo "make search: run make demo first, or name an encoder and documents: ENCODER=e5-small-q4 DOCS=docs.tsv"; exit 2; }
	$(BIN)/switchrank rank pool join --overwrite --out $@ --judgements-out $(@D)/judgements.parquet --draw-out $(@D)/draw.parquet \
	  --documents $(foreach lang,$(SPOKEN),$(lang)=$(DEMO)/sources/world/documents-$(lang).parquet) \
	  --judgements $(foreach lang,$(SPOKEN),$(lang)=$(DEMO)/sources/world/judgements-test-$(lang).parquet)
endif
search: .venv/ready
	@test -n "$(DOCS)" || { echo "make search: name the documents: DOCS=docs.tsv"; exit 2; }
	$(BIN)/switchrank serve --encoder $(ENCODER) $(if $(RANKER),--ranker $(RANKER)) --docs $(DOCS) \
	  $(if $(LEXICONS),--lexicon $(LEXICONS)) --threads $(CORES) --open $(SERVE)

# The optional libraries of languages.segmenters; with them no test of `make test` is skipped for want of one.
segmenters: .venv/segmenters

# MTEB, for `switchrank mteb`; without it its tests are skipped.
mteb: .venv/mteb

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

reference: .venv/ready
	$(BIN)/switchrank config reference --write

# torch first: a later install that merely admits it would fetch another build.
.venv/ready: $(LOCK) pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q $(PIP_ARGS) $(TORCH)
	$(BIN)/pip install -q $(PIP_ARGS) -r $(LOCK)
	$(BIN)/pip install -q $(PIP_ARGS) --no-deps --no-build-isolation -e .
	touch $@

.venv/bench: .venv/ready envs/bench.lock
	$(BIN)/pip install -q $(PIP_ARGS) -r envs/bench.lock
	touch $@

.venv/fuzz: envs/fuzz.lock .venv/ready
	@$(BIN)/pip install -q $(PIP_ARGS) -r envs/fuzz.lock \
	  || { echo "make fuzz: atheris does not install here; make test fuzzes the same parsers without it"; exit 1; }
	touch $@

.venv/segmenters .venv/mteb: .venv/%: envs/%.lock .venv/ready
	$(BIN)/pip install -q $(PIP_ARGS) -r $<
	touch $@

clean:
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find workflow tests -name __pycache__ -type d -prune -exec rm -rf {} +

clean-results:
	@test -n "$(RUN)" || { echo "say which run: make clean-results RUN=demo"; exit 2; }
	rm -rf "results/$(RUN)"
