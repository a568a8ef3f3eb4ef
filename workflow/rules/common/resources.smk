# What jobs ask for: memory, run time, GPUs; no result depends on it.
# Where the raw files of a run are small, a job is not worth the wait in a queue, but for training and ranking.
SMALL = are_small(PLAN.raw_files)
# What the main table waits for goes before what looks into it: people read that table while the rest is made.
MAIN_TABLE = 1


def asks(need):
    """Memory and run time of a rule, from a function of its input; twice as much at each attempt."""
    return {
        "mem_mb": lambda wildcards, input, attempt: need(input).asked(attempt)[0],
        "runtime": lambda wildcards, input, attempt: need(input).asked(attempt)[1],
    }


def sized(estimate):
    """:func:`asks` where the size of the input says it all."""
    return asks(lambda input: estimate(size_mb(input)))


def fasttext_need(input):
    """What training word vectors needs."""
    return vector_training(size_mb(input.text), CONFIG.vectors.training.epochs)


TRAINING_THREADS = max(CONFIG.train.threads, CONFIG.train.processes)


def training_need(section):
    """What training a ranker with the settings of a section needs, as a function of the rule's input."""
    work = {key: getattr(section, key) for key in ["steps", "batch_size", "max_length"]}
    gpus = CONFIG.train.processes if CONFIG.train.device == "cuda" else 0
    work["rate"] = operations_per_second(TRAINING_THREADS, gpus)
    work["processes"] = CONFIG.train.processes
    return lambda input: training(
        size_mb(input.start),
        layer_weights(input.start),
        size_mb([input.corpus]),
        switched=size_mb(input.get("parts", [])),
        **work,
    )


def ranking_need(pairs):
    """What scoring pairs needs, as a function of the rule's input."""
    rate = operations_per_second(
        CONFIG.rank.threads, int(CONFIG.train.device == "cuda")
    )
    lists = [part["candidates"] for part in pairs]
    return lambda input: ranking(
        size_mb(input.model),
        layer_weights(input.model),
        size_mb(input.pairs),
        size_mb(lists),
        max_length=CONFIG.train.max_length,
        rate=rate,
    )


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


def shared_training(section):
    """The processes that share a training, and a GPU for each where the config demands one; how often it is saved.

    None of it is a trigger, and a checkpoint is resumed by any number of processes.
    """
    return {
        "processes": CONFIG.train.processes,
        "checkpoint_every": section.checkpoint_every,
    } | on_gpu(CONFIG.train.processes)
