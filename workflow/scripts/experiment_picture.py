"""Rules *_picture of the experiment: a picture of one table for one test set."""

from importlib import import_module

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.data import MetricPlot, Plot

    table, told = rule.params.table, dict(rule.params.told)
    module = import_module(f"switchrank.report.{table}")
    given = {table: rule.input.table}
    if "languages" in told:
        given["languages"] = Languages(**told.pop("languages"))
    if table == "ablation":
        given["curve"], given["equivalence"] = rule.input.more
        given["reference"] = told.pop("reference")
    kind = Plot if table in ("shift", "bias") else MetricPlot
    plot = kind(rule.params.testset, rule.output.picture, table=rule.output.numbers, **told)
    getattr(module, f"{table}_picture")(plot=plot, **given)
