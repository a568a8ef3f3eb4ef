# What jobs ask for: memory, run time, GPUs; no result depends on it.
# Where the raw files of a run are small, a job is not worth the wait in a queue, but for training and ranking.
SMALL = are_small(PLAN.raw_files)
# People read the main table while the rest is made: what it does not wait for gives way to what it waits for.
LATER = -1


def urgency(testset=None, system=None):
    """Priority of a job that is about one test set, one system or both: mixed pools, sweeps and rows can wait."""
    mixed = testset in POOLS and set(POOLS) < set(CONFIG.testsets)
    beside = system is not None and system not in {
        *PLAN.main_systems,
        *CONFIG.evaluate.references,
    }
    return LATER if mixed or beside else 0


NEEDS = Needs(PLAN)
# A job that asks for every core waits until none is busy; where vectors are few, it is not worth that.
SEARCHING_THREADS = 1 if SMALL else SEARCH_THREADS
GPUS = CONFIG.train.processes if CONFIG.train.device == "cuda" else 0
TRAINING_THREADS = max(CONFIG.train.threads, CONFIG.train.processes)


def asks(kind, name="", outputs=(), **machine):
    """Memory and run time of a rule by what its jobs are estimated to cost; twice as much at each attempt.

    `kind` is the name of its script. Its own name is given where the cost goes by that, outputs where they and no
    wildcards tell what a job is about, and the machine (threads, gpus, processes) where the cost depends on it.
    """
    outputs = list(outputs)

    def asked(wildcards, input, attempt):
        job = Job(
            name,
            kind,
            [str(file) for file in input],
            outputs,
            wildcards=dict(wildcards.items()),
            **machine,
        )
        return NEEDS.of(job).request(attempt)

    return {
        "mem_mb": lambda wildcards, input, attempt: asked(wildcards, input, attempt)[0],
        "runtime": lambda wildcards, input, attempt: asked(wildcards, input, attempt)[
            1
        ],
    }


def asks_to_train():
    """:func:`asks` of a rule that trains a model."""
    processes = CONFIG.train.processes
    return asks("train", threads=TRAINING_THREADS, gpus=GPUS, processes=processes)


def asks_to_rank(runs):
    """:func:`asks` of a rule that scores pairs with a model."""
    return asks("rank", outputs=runs, threads=CONFIG.rank.threads, gpus=min(GPUS, 1))


def on_gpu(count=1):
    """So many GPUs where the config demands them, in the partition and of the type that the profile names for such jobs.

    `--resources gpu=0` takes them away again.
    """
    if CONFIG.train.device != "cuda":
        return {"gpu": 0}
    defaults = workflow.resource_settings.default_resources
    named = dict(text.split("=", 1) for text in (defaults.args if defaults else []))
    site = {"slurm_partition": "gpu_partition", "gpu_model": "gpu_type"}
    return {"gpu": count} | {
        ours: named[theirs] for ours, theirs in site.items() if theirs in named
    }


def share():
    """With `--cache`, take the benchmarks from shared rules: a job whose output comes from elsewhere measures nothing.

    Snakemake refuses a shared rule that has one, and has no public way to take it back; a directive is there or not.
    The cache leaves links to its folder, which must hold from wherever they are looked at.
    """
    folder = os.environ.get("SNAKEMAKE_OUTPUT_CACHE")
    if SHARED and folder and not Path(folder).is_absolute():
        todo = "export SNAKEMAKE_OUTPUT_CACHE=/your/folder, from the root"
        fail(
            UserError(
                "SNAKEMAKE_OUTPUT_CACHE", "", f"{folder} is a relative path", todo
            )
        )
    for made in workflow.rules:
        if SHARED and made.cache and made.cache.output:
            made._benchmark = None


def shared_training():
    """The processes that share a training, and a GPU for each where the config demands one; how often it is saved.

    None of it is a trigger, and a checkpoint is resumed by any number of processes.
    """
    return {
        "processes": CONFIG.train.processes,
        "checkpoint_every": lambda wildcards: node(wildcards).settings.checkpoint_every,
    } | on_gpu(CONFIG.train.processes)
