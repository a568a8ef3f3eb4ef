"""Rules *_picture of the experiment: a picture of one table for one test set."""

from importlib import import_module

from switchrank.job import job

with job(snakemake) as rule:
    table, testset = rule.params.table, rule.params.testset
    given = {table: rule.input.table, "testset": testset, "out": rule.output.picture, "table": rule.output.numbers}
    given |= {"baseline": rule.params.baseline, "systems": rule.params.systems}
    if table == "ablation":
        curve, equivalence = rule.input.more
        given |= {"curve": curve, "equivalence": equivalence, "reference": rule.params.reference}
    if table != "sweep":
        given["languages"] = rule.params.languages
    getattr(import_module(f"switchrank.report.{table}"), f"{table}_picture")(**given)
