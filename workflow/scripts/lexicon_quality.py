"""Rule lexicon_quality: every lexicon against every gold dictionary of its pair."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.quality import lexicon_quality

    source = rule.params.source
    lexicons = [
        {"lexicon": lexicon, "src": source, "tgt": lang, "path": path}
        for (lexicon, _, lang), path in zip(rule.params.pairs, rule.input.lexicons, strict=True)
    ]
    gold = [
        {"name": name, "src": source, "tgt": lang, **reading}
        for (_, name, lang), reading in zip(rule.params.pairs, rule.params.reading, strict=True)
    ]
    distinct = [list({tuple(item.values())[:3]: item for item in items}.values()) for items in (lexicons, gold)]
    lexicon_quality(lexicons=distinct[0], gold=distinct[1], out=rule.output[0])
