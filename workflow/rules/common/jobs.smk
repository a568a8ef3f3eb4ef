# What the rules of a run come to: told as JSON to who asks for its jobs, and looked at before the first one.
import atexit
import json

from switchrank.run.plan.jobs import keep_at_start


def asked_of(rule, resource, otherwise):
    """What a rule asks for, whatever this start may use; `_cores` is Snakemake's name for threads."""
    return rule.resources[resource].value if resource in rule.resources else otherwise


def dag_jobs():
    """Every job of the DAG as plain values, but those that only stand for others."""
    dag = workflow.dag
    return [
        {
            "rule": job.rule.name,
            "kind": Path(job.rule.script).stem,
            "inputs": [str(file) for file in job.input],
            "outputs": [str(file) for file in job.output],
            "log": str(job.log[0]),
            "benchmark": str(job.benchmark) if job.benchmark else None,
            "wildcards": dict(job.wildcards_dict),
            "threads": asked_of(job.rule, "_cores", 1),
            "gpus": asked_of(job.rule, "gpu", 0),
            "processes": asked_of(job.rule, "processes", 1),
            "again": ", ".join(dag.reason(job).get_names()) if dag.needrun(job) else "",
        }
        for job in dag.jobs
        if job.rule.script
    ]


def tell_jobs():
    """Where jobs are asked for, write them at the end of the dry run; Snakemake has no hook for that."""
    if workflow.dag is not None:
        Path(ASKED).write_text(json.dumps(dag_jobs()), encoding="utf-8")


def unmade_inputs():
    """The files that the config names, that are not there and that no rule makes."""
    named = dict.fromkeys(path for _, path in PLAN.named_inputs())
    return [
        path
        for path in named
        if not Path(path).exists()
        and not any(rule.is_producer(path) for rule in workflow.rules)
    ]


def end_if_incomplete():
    """Before the first job: whether what this start makes needs any input that is not there."""
    jobs = list(workflow.dag.needrun_jobs())
    needed = {str(path) for job in jobs for path in job.input} & {*UNMADE}
    raise_all(missing_of(PLAN, workflow.configfiles[-1], needed))


def look_at_start():
    """Before the first job, with the whole DAG known: a wrong config or a full disk ends the start with one line.

    Nothing else does, and least of all an estimate. `SWITCHRANK_ANY_DISK=1` starts on a full disk too.
    """
    try:
        end_if_incomplete()
        end_if_offline()
        jobs = dag_jobs()
        if any(job.rule.name == "all" for job in workflow.dag.jobs):
            keep_at_start(PLAN, jobs)
        if not os.environ.get("SWITCHRANK_ANY_DISK"):
            made = [job for job in read_jobs(jobs).jobs if job.again]
            check_disk(PLAN, made, workflow.configfiles[-1])
    except UserError as error:  # the way out of here releases Snakemake's locks
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        told = f"warning: what this start needs is not known ({error!r}); it goes on"
        print(told, file=sys.stderr)
