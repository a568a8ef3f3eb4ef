"""Rules *_picture of the experiment: a picture of one table for one test set."""

from importlib import import_module

from switchrank.core.job import job

with job(snakemake) as rule:
    table, testset = rule.params.table, rule.params.testset
    given = {table: rule.input.table, "testset": testset, "out": rule.output.picture, "table": rule.output.numbers}
    module, told = import_module(f"switchrank.report.{table}"), dict(rule.params.told)
    if table == "ablation":
        given["curve"], equivalence = rule.input.more
        given["needed"] = module.Needed(equivalence, told.pop("reference"))
    getattr(module, f"{table}_picture")(**given, **told)
