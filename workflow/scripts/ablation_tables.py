"""Rule ablation_tables: what labelled queries bring, as points, as curves, and against code-switching."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.ablation.curves import ablation_table, curve_table, equivalence_table
    from switchrank.ablation.rows import Row

    scores = {"per_query": rule.input[0], "rows": [Row(**row) for row in rule.params.rows]}
    ablation_table(**scores, records=rule.input.records, out=rule.output.table)
    curve_table(**scores, out=rule.output.curve, metric=rule.params.metric)
    equivalence_table(
        **scores,
        reference=rule.params.spec["reference"],
        starts=rule.params.spec["compared"],
        metric=rule.params.metric,
        out=rule.output.equivalence,
    )
