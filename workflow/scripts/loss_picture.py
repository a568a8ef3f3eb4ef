"""Rule loss_picture: loss and development score of every model."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.report.loss import loss_picture

    runs = [{"system": name, "path": path} for name, path in zip(rule.params.systems, rule.input, strict=True)]
    loss_picture(runs=runs, baseline=rule.params.baseline, out=rule.output[0])
