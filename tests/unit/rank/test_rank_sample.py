"""Which queries a test set asks."""

import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, read_table, write_table
from switchrank.rank.sample import sample_judgements


@pytest.fixture
def judged(tmp_path):
    """Judgements of two document languages; q0 is relevant in the first only."""
    paths = [tmp_path / f"{lang}.parquet" for lang in ("de", "en")]
    for path, first in zip(paths, (0, 1), strict=True):
        rows = [(f"q{n}", f"{path.stem}{n}", 1) for n in range(first, 30)]
        write_table(pl.DataFrame(rows, schema=JUDGEMENTS, orient="row"), path, JUDGEMENTS)
    return paths


def _sample(judged, tmp_path, **options):
    sample_judgements(judgements=judged, out=tmp_path / "out.parquet", **options)
    return read_table(tmp_path / "out.parquet", JUDGEMENTS)


def test_all_queries_judged_in_every_language_are_kept(judged, tmp_path):
    table = _sample(judged, tmp_path, chosen=0)
    assert table["docid"].to_list() == [f"de{n}" for n in range(1, 30)]


def test_a_sample_is_the_same_in_every_language_and_nested(judged, tmp_path):
    ten = [set(_sample(judged, tmp_path, chosen=n, queries=10)["qid"]) for n in (0, 1)]
    twenty = set(_sample(judged, tmp_path, chosen=0, queries=20)["qid"])
    assert ten[0] == ten[1]
    assert ten[0] < twenty
    assert ten[0] != set(_sample(judged, tmp_path, chosen=0, queries=10, seed=2)["qid"])


def test_asking_for_more_queries_than_there_are_is_an_error(judged, tmp_path):
    with pytest.raises(UserError, match="29 judged queries"):
        _sample(judged, tmp_path, chosen=0, queries=30)
