"""Rule labelled_queries: labelled queries of a language, new to test sets and starts alike."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.ablation.sample import Apart, draw_new_queries

    paths = iter(rule.input.training)
    draw_new_queries(
        queries=rule.input.queries,
        judgements=rule.input.judgements,
        out=rule.output[0],
        held_out_to=rule.output.get("held_out"),
        overlap=rule.output.overlap,
        documents=rule.input.documents,
        apart=Apart(
            test_queries=[rule.input.test_queries],
            test_judgements=[rule.input.test_judgements],
            shared_ids=rule.params.same,
            strict_documents=rule.params.same,
            training=[
                {kind: next(paths) for kind in split["kinds"]} | {"shared_ids": split["shared_ids"]}
                for split in rule.params.training
            ],
        ),
        **rule.params.sample,
    )
