# Functions of the rules of sources: what is looked at before the first job.


def end_if_offline():
    """Before the first job: where no server may be asked, tell every file that this start would have fetched."""
    if not is_offline(os.environ):
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if job.name.startswith("fetch_")]
    paths = sorted(path for job in jobs for path in job.output)
    wanted = {path: PLAN.downloads[path].plain() for path in paths}
    missing = missing_files(wanted)
    if missing:
        workflow.persistence.unlock()
        fail(offline_error(workflow.configfiles[-1], wanted, missing))


def end_if_incomplete():
    """Before a start, not of a job: whether all inputs are there that its targets need.

    Snakemake itself tells of the first, and not what the config calls it.
    """
    rules = {rule.name for rule in workflow.rules} - {"all"}
    targets = [
        word for word in sys.argv[1:] if word in rules or word.startswith("results/")
    ]
    try:
        raise_all(missing_for(PLAN, workflow.configfiles[-1], targets))
    except UserError as error:
        fail(error)


def end_if_full():
    """Before the first job: whether the disk can hold what this start makes; `SWITCHRANK_ANY_DISK=1` starts anyway."""
    if os.environ.get("SWITCHRANK_ANY_DISK"):
        return
    files = [str(path) for job in workflow.dag.needrun_jobs() for path in job.output]
    try:
        check_disk(PLAN, files, workflow.configfiles[-1])
    except UserError as error:
        workflow.persistence.unlock()
        fail(error)
