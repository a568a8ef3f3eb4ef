"""Rules *_picture of the experiment: a picture of one table for one test set."""

from importlib import import_module

from switchrank.core.job import job

with job(snakemake) as rule:
    table, testset = rule.params.table, rule.params.testset
    given = {table: rule.input.table, "testset": testset, "out": rule.output.picture, "table": rule.output.numbers}
    if table == "ablation":
        given["curve"], given["equivalence"] = rule.input.more
    getattr(import_module(f"switchrank.report.{table}"), f"{table}_picture")(**given, **rule.params.told)
