# Functions of the rules of sources: the tables of a collection, and what is fetched.
from switchrank.collections.spec import CollectionSpec


def collection_tables(name):
    """The files that a collection becomes."""
    outputs = CollectionSpec.from_plain(PLAN.collection_spec(name)).outputs()
    return [f"{R}/sources/{name}/{file}" for file in outputs]


def end_if_offline():
    """Before the first job: where no server may be asked, tell every file that this start would have fetched."""
    if not is_offline(os.environ):
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if job.name.startswith("fetch_")]
    paths = sorted(path for job in jobs for path in job.output)
    wanted = {path: PLAN.downloads[path].plain() for path in paths}
    missing = missing_files(wanted)
    if missing:
        raise offline_error(workflow.configfiles[-1], wanted, missing)
