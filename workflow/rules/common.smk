# Glue: the checked config, the plan of names, and the digest of library code that rules put into params.
import os
import re
import sys
from functools import cache

from switchrank.config.encoders import lexicon_origins
from switchrank.config.trainings import training_findings
from switchrank.config.load import checked_plan, read_yaml
from switchrank.config.models import MAIN_METRIC
from switchrank.corpus.files import SAMPLED
from switchrank.core.digest import code_digest, file_digest
from switchrank.core.errors import NoGpuError, UserError, raise_all
from switchrank.core.offline import is_offline
from switchrank.files.fetched import missing_files, offline_error, sources_of
from switchrank.models.catalogue import entry_of
from switchrank.models.folder import (
    MODEL_FILES,
    START_RECORD,
    STARTING_FILES,
    TRAINED_FILES,
)
from switchrank.run.plan.estimate import check_disk
from switchrank.run.plan.files import (
    check_outputs,
    missing_notice,
    missing_of,
    start_mistakes,
)
from switchrank.run.plan.jobs import OUT, ROOTS, Job, read_jobs
from switchrank.run.resources import SEARCH_THREADS, Needs, are_small
from switchrank.core.locks import hold_run
from switchrank.text.segmenters import segmenter_spec
from switchrank.run.notes import Start, remember_start

ROOT = Path(workflow.basedir)
# Where the jobs of a run are asked for (switchrank plan, switchrank status): the file that a dry run writes them to.
ASKED = os.environ.get(OUT) if workflow.output_settings.dryrun else None


def fail(error):
    """End Snakemake with one line."""
    print(error, file=sys.stderr)
    os._exit(error.exit_code)


def checked(files):
    """The config and its plan; a mistake ends Snakemake with one line."""
    try:
        for file in files:
            read_yaml(file)
        told = os.environ.get(ROOTS, "").split(os.pathsep) if ASKED else []
        roots = [*map(Path, told)] or [Path.cwd(), ROOT]
        plan = checked_plan(dict(config), files[-1], os.environ, roots)
        return plan.config, plan
    except UserError as error:
        fail(error)


def lock_run():
    """The lock of this run, where this process is to make it: not a job of it, a dry-run, a summary, or `--nolock`."""
    asked, given = workflow.resource_settings, workflow.global_resources
    idle = workflow.output_settings.dryrun or (
        asked.cores is None and asked.nodes is None
    )
    if workflow.exec_mode.name != "DEFAULT" or idle or "--nolock" in sys.argv:
        return None
    try:
        lock = hold_run(CONFIG.run, ".snakemake")
        check_outputs(PLAN)
    except UserError as error:
        fail(error)
    if notice := missing_notice(PLAN):
        print(notice, file=sys.stderr)
    cores = asked.cores or asked.nodes or 0
    gpus = given["gpu"].value if "gpu" in given else asked.nodes or 1
    start = Start(dict(config), str(workflow.configfiles[-1]), str(ROOT), cores, gpus)
    remember_start(CONFIG.run, start)
    return lock


def end_if_too_few_gpus():
    """Whether a training may use a GPU for each of its processes; none at all means the CPU, and what it can do."""
    given = workflow.global_resources
    allowed = given["gpu"].value if "gpu" in given else None
    if workflow.exec_mode.name != "DEFAULT" or CONFIG.train.device != "cuda":
        return
    if allowed == 0:
        for finding in training_findings(CONFIG, "cpu"):
            fail(UserError(workflow.configfiles[-1], *finding))
    needed = CONFIG.train.processes
    if allowed and allowed < needed:
        problem = f"{needed} processes need a GPU each, and {allowed} may be used"
        todo = f"--resources gpu={needed}, or fewer processes"
        fail(NoGpuError(workflow.configfiles[-1], "train.processes", problem, todo))


def end_if_start_is_no_model():
    """The first job may be hours away from the model it starts from."""
    if workflow.exec_mode.name == "DEFAULT" and not ASKED:
        for mistake in start_mistakes(PLAN):
            fail(mistake)


CONFIG, PLAN = checked([str(file) for file in workflow.configfiles])
end_if_too_few_gpus()
end_if_start_is_no_model()
R = PLAN.folder
RUN_LOCK = lock_run()
SOURCE = CONFIG.languages.source
CODE = cache(code_digest)
# With `--cache`: what word vectors and lexicons are made from and the like is taken from other runs.
SHARED = workflow.workflow_settings.cache is not None


wildcard_constraints:
    lang="[a-z]{2,3}",
    src="[a-z]{2,3}",
    tgt="[a-z]{2,3}",
    seed="[0-9]+",
    split="train|dev|test",
    collection="|".join(CONFIG.collections),
    corpus="|".join(CONFIG.corpora),
    lexicon="|".join(CONFIG.lexicons) or "none",
    system="|".join(CONFIG.systems),
    start="|".join(PLAN.named_starts) or "none",
    testset="|".join(CONFIG.testsets),
    train_pair="[a-z]{2,3}-[a-z]{2,3}",
    texts="queries-train|queries-dev|documents",
    cut="unicode|treebank",


def identifier(*parts):
    """A rule name from config names."""
    return "_".join(parts).replace("-", "_")


def in_order(files):
    """The names of files in their order, for params: Snakemake compares input files as a set, and so does its cache."""
    files = list(files)
    places = {file: place for place, file in enumerate(sorted(files))}
    return [[places[file], Path(file).name] for file in files]


def caption_digests():
    """The digest of every caption of the report, by name."""
    folder = ROOT / "workflow/report"
    return {file.name: file_digest(file) for file in sorted(folder.glob("*.rst"))}


def store(prefix):
    """The two files of a vector store, by name."""
    return {"words": f"{prefix}.words.parquet", "matrix": f"{prefix}.npy"}


def prefix(path):
    """The prefix of a vector store, from its words file."""
    return str(path).removesuffix(".words.parquet")


# Functions that the rules of one stage need, a file each: a file of rules may define none (snakemake --lint).
include: "common/resources.smk"
include: "common/jobs.smk"
include: "common/sources.smk"
include: "common/embeddings.smk"
include: "common/lexicon.smk"
include: "common/corpus.smk"
include: "common/train.smk"
include: "common/rank.smk"
include: "common/evaluate.smk"
include: "common/ablation.smk"
include: "common/report.smk"
