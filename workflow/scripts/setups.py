"""Rule setups: means over the language pairs of each setup, and the tests of them."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.setups import setups_table
    from switchrank.evaluate.tables import Settings

    compared = dict(rule.params.compared)
    setups_table(
        per_query=list(rule.input),
        out=rule.output[0],
        metrics=rule.params.metrics,
        systems=compared.pop("systems"),
        settings=Settings(**compared),
    )
