"""Several collections as one: nothing is lost, nothing of two parts is taken for the same."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import UserError
from switchrank.sources.build import build_collection

SPEC = {"format": "joined", "languages": ["en"], "splits": ["train", "dev"], "options": {"of": ["a", "b"]}}


@pytest.fixture
def parts(tiny_msmarco, msmarco_spec, tmp_path):
    """The tables of one collection under two names, by role of the joined one."""
    files = {}
    spec = {**msmarco_spec, "splits": ["train"], "triples": False}
    wanted = [role for role in tiny_msmarco if "test" not in role and not role.startswith("triples")]
    for part in ("a", "b"):
        build_collection(spec=spec, files={role: tiny_msmarco[role] for role in wanted}, out=tmp_path / part)
        files |= {f"{part}/{path.stem}": str(path) for path in (tmp_path / part).glob("*-en.parquet")}
    return files


def test_the_tables_follow_each_other_under_ids_that_name_the_part(parts, tmp_path) -> None:
    build_collection(spec=SPEC, files=parts, out=tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == sorted(
        CollectionSpec.from_plain(SPEC).outputs()
    )
    for table in ("documents-en", "queries-train-en", "queries-dev-en", "judgements-train-en", "judgements-dev-en"):
        one, both = pl.read_parquet(parts[f"a/{table}"]), pl.read_parquet(tmp_path / "out" / f"{table}.parquet")
        named = [name for name in ("docid", "qid", "group") if name in one.columns]
        expected = [one.with_columns(pl.lit(f"{part}:").add(pl.col(named)).name.keep()) for part in ("a", "b")]
        assert both.rows() == pl.concat(expected).select(both.columns).rows()


def test_a_missing_table_is_named(parts, tmp_path) -> None:
    del parts["b/queries-dev-en"]
    with pytest.raises(UserError, match=r"files\.b/queries-dev-en: missing"):
        build_collection(spec=SPEC, files=parts, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_table_is_one_line(parts, tmp_path) -> None:
    for role in ("b/documents-en", "b/queries-train-en"):
        sound = Path(parts[role]).read_bytes()
        Path(parts[role]).write_bytes(sound[:4] + bytes(40) + sound[44:])
        with pytest.raises(UserError, match=rf"{role}\.parquet: not a readable table") as error:
            build_collection(spec=SPEC, files=parts, out=tmp_path / "out")
        assert "\n" not in str(error.value)
        assert not (tmp_path / "out").exists()
        Path(parts[role]).write_bytes(sound)


def test_a_table_of_something_else_is_named(parts, tmp_path) -> None:
    parts["b/documents-en"] = parts["b/queries-train-en"]
    with pytest.raises(UserError, match="columns: found"):
        build_collection(spec=SPEC, files=parts, out=tmp_path / "out")
