# switchrank: from raw word vectors and Wikipedia dumps to code-switched re-rankers, TREC runs, tables and a report.
#
#   snakemake --cores 2                                  the made-up world of config/demo.yaml
#   snakemake --cores 2 --configfile config/xquad.yaml   your own config, alone: nothing is merged into it
#   snakemake -n                                         what would run; snakemake <stage> stops after a stage
#
# Everything is written under results/<run>/ (see README.md for the list of files).
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

if not workflow.overwrite_configfiles:

    configfile: Path(workflow.basedir) / "config/demo.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/lexicon.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/rank.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/ablation.smk"
include: "workflow/rules/report.smk"


share()
UNMADE = unmade_inputs() if RUN_LOCK or ASKED else []
if ASKED:
    atexit.register(tell_jobs)
elif workflow.output_settings.dryrun and is_offline():
    atexit.register(tell_missing)

# What is not there stands in the DAG all the same: a start tells every such file, and who asks for jobs has them all.
for number, path in enumerate(UNMADE, 1):

    rule:
        name:
            f"missing_{number}"
        output:
            path,


onstart:
    look_at_start()


report: "workflow/report/workflow.rst"


localrules:
    all,
    sources,
    embeddings,
    lexicon,
    corpus,
    train,
    rank,
    evaluate,
    ablation,
    report,


rule all:
    default_target: True
    input:
        f"{R}/report.zip",
        f"{R}/tables/main.txt",
        f"{R}/provenance.json",
        PLAN.samples,
