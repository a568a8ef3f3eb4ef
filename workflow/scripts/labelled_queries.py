"""Rule labelled_queries: labelled queries of a language, none of them near a test query."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.ablation.sample import check_no_overlap, sample_queries

    language, examples, seed = rule.params.row
    near = {
        "test_queries": [rule.input.test_queries],
        "test_judgements": [rule.input.test_judgements],
        "shared_ids": rule.params.same,
        "strict_documents": rule.params.same,
    }
    tables = {name: rule.input[name] for name in ("queries", "judgements", "documents")}
    sample_queries(**tables, examples=examples, seed=seed, language=language, out=rule.output[0], **near)
    check_no_overlap(sample=rule.output[0], judgements=rule.input.judgements, **near)
