# Functions of the rules of sources: the tables of a collection, and what is fetched.
from switchrank.collections.spec import CollectionSpec

# The scripts that need models from elsewhere.
COPYING = {"pretrained_model", "finished_model", "finished_encoder", "encode_words"}


def collection_tables(name):
    """The files that a collection becomes."""
    outputs = CollectionSpec.from_plain(PLAN.collection_spec(name)).outputs()
    return [f"{R}/sources/{name}/{file}" for file in outputs]


def bitext_tables(name):
    """The files that a parallel text becomes."""
    return [file for files in PLAN.bitext_files(name).values() for file in files]


def missing_offline():
    """Where no server may be asked: the error that tells every file and model that this start would fetch, if any."""
    if not is_offline():
        return None
    from switchrank.models.obtain import missing as missing_model

    jobs = [job for job in workflow.dag.jobs if workflow.dag.needrun(job)]
    fetching = [job for job in jobs if job.name.startswith("fetch_")]
    paths = sorted(path for job in fetching for path in job.output)
    wanted = {path: PLAN.downloads[path].plain() for path in paths}
    missing = sources_of(wanted, missing_files(wanted))
    for job in jobs:
        if job.rule.script and Path(job.rule.script).stem in COPYING:
            model = job.params.model
            made_here = str(model).startswith(f"{R}/")
            missing |= {} if made_here else missing_model(model)
    missing = dict(sorted(missing.items()))
    return offline_error(workflow.configfiles[-1], missing) if missing else None


def end_if_offline():
    """Before the first job: end where it cannot be had."""
    if error := missing_offline():
        raise error


def tell_missing():
    """Tell, when a dry run ends, what a start would end with; Snakemake has no hook for that."""
    if hasattr(workflow, "dag") and (
        error := missing_offline()
    ):  # after an error there is none
        print(error, file=sys.stderr)
