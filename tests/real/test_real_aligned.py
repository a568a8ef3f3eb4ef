"""Real parallel text as lexicons, against dictionaries that were made without it; real texts of one language."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from switchrank.formats.tables import LEXICON, QUALITY, TEXTS, read_table
from switchrank.lexicon.aligned import induce_from_bitext
from switchrank.lexicon.dictionary import dictionary_lexicon
from switchrank.lexicon.quality import lexicon_quality
from switchrank.sources.bitext.write import write_bitext
from switchrank.sources.texts import REASONS, write_texts

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real

TEXTS_AND_GOLD = [
    ("de", ["tatoeba-anki/eng-deu.tsv.xz"], {"path": "xling-eval/en-de/yacle.train.freq.5k.en-de.tsv.gz"}, 0.5),
    ("sw", [f"lafand-mt/en-swa/train.{side}.xz" for side in ("en", "swa")],
     {"path": "freedict-swahili/eng-swh.tei.gz"}, 0.45),
]  # fmt: skip


@pytest.mark.parametrize(("language", "files", "gold", "least"), TEXTS_AND_GOLD)
def test_about_half_of_the_words_covered_have_a_translation_of_a_dictionary_first(
    tmp_path, language, files, gold, least
):
    columns = [1, 2] if len(files) == 1 else []
    folder = tmp_path / f"en-{language}"
    write_bitext(files=[DATA / file for file in files], languages=["en", language], columns=columns, out=folder)
    pair = {"src": "en", "tgt": language}
    out = tmp_path / "lexicon.parquet"
    counts = induce_from_bitext(bitext=[folder / "train.parquet"], source="en", target=language, out=out)
    lexicon_quality(
        lexicons=[{"lexicon": "ibm", **pair, "path": str(out)}],
        gold=[{"name": "gold", **pair, "path": str(DATA / gold["path"])}],
        out=tmp_path / "quality.csv",
    )
    quality = read_table(tmp_path / "quality.csv", QUALITY).row(0, named=True)
    print(language, counts, quality)
    assert quality["p_at_1"] / quality["coverage"] > least


def test_a_table_of_patapsco_is_read_with_its_probabilities(tmp_path):
    out = tmp_path / "lexicon.parquet"
    counts = dictionary_lexicon(path=DATA / "patapsco-mini/rus_psq_table.json.gz", out=out)
    assert counts == {"words": 4, "rows": 9}
    rows = read_table(out, LEXICON).filter(source="political").rows()
    assert rows == [("political", "политический", 0.5, 1), ("political", "узкопартийный", pytest.approx(0.2), 2)]


@pytest.mark.parametrize(("language", "code"), [("sw", "swa"), ("ha", "hau"), ("ig", "ibo")])
def test_real_lines_of_a_language_are_counted_drawn_and_held_out(tmp_path, language, code):
    file = DATA / f"lafand-mt/en-{code}/train.{code}.xz"
    counts = write_texts(files=[file], language=language, limit=1000, held_out=100, out=tmp_path / "out")
    print(language, counts)
    assert (counts["train"], counts["held_out"]) == (1000, 100)
    assert counts["lines"] == sum(counts[name] for name in ("train", "held_out", *REASONS))
    train, apart = (set(read_table(tmp_path / f"out/{part}.parquet", TEXTS)["text"]) for part in ("train", "held-out"))
    assert not train & apart
