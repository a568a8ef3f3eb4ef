"""Real parallel text: Tatoeba's tables, files of LAFAND-MT, NTREX-128 and ELRC, cleaned without losing what is good."""

from __future__ import annotations

import lzma
import os
import zipfile
from pathlib import Path

import pytest

from switchrank.formats.tables import BITEXT, read_table
from switchrank.sources.bitext.files import REASONS
from switchrank.sources.bitext.write import write_bitext

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
NTREX = {"ar": "arb", "de": "deu", "el": "ell", "fi": "fin", "ha": "hau", "ru": "rus", "sw": "swa", "zh": "zho-CN"}


def ntrex(code: str) -> Path:
    return DATA / f"ntrex-128/newstest2019-ref.{code}.txt.xz"


ENGLISH = DATA / "ntrex-128/newstest2019-src.eng.txt.xz"


TEXTS = [
    ("de", ["tatoeba-anki/eng-deu.tsv.xz"], 169_197, 0.001),
    ("tr", ["tatoeba-anki/eng-tur.tsv.xz"], 41_098, 0.001),
    ("sw", ["lafand-mt/en-swa/train.en.xz", "lafand-mt/en-swa/train.swa.xz"], 30_782, 0.04),
    ("ru", [f"elrc-wikipedia-health/ELRC_2922.en-ru.{side}.xz" for side in ("en", "ru")], 4072, 0.03),
]


@pytest.mark.parametrize(("language", "files", "total", "most_lost"), TEXTS)
def test_most_lines_stay_and_all_are_counted(tmp_path, language, files, total, most_lost):
    counts = write_bitext(
        files=[DATA / file for file in files],
        languages=["en", language],
        columns=[1, 2] if len(files) == 1 else [],
        held_out=500,
        out=tmp_path / "out",
    )
    print(language, counts)
    assert counts["lines"] == total == sum(counts[name] for name in ("train", "held_out", *REASONS))
    assert sum(counts[reason] for reason in REASONS if reason != "like_held_out") <= most_lost * total
    train, apart = (read_table(tmp_path / f"out/{part}.parquet", BITEXT) for part in ("train", "held-out"))
    assert (len(train), len(apart)) == (counts["train"], 500)
    for side in ("source", "target"):
        assert not set(train[side].str.to_lowercase()) & set(apart[side].str.to_lowercase())


@pytest.mark.parametrize("language", NTREX)
def test_translators_lines_stay_and_the_same_ones_are_held_out_in_each_language(tmp_path, language):
    counts, apart = {}, {}
    for other in ("es", language):
        file = DATA / "ntrex-128/newstest2019-ref.spa.txt.xz" if other == "es" else ntrex(NTREX[language])
        counts[other] = write_bitext(files=[ENGLISH, file], languages=["en", other], held_out=0.1, out=tmp_path / other)
        apart[other] = set(read_table(tmp_path / other / "held-out.parquet", BITEXT)["id"])
    lost = 1997 - sum(counts[language][name] for name in ("train", "held_out", "like_held_out"))
    assert lost <= 5
    assert len(apart["es"] ^ apart[language]) <= 5


def test_an_archive_gives_the_table_of_its_files(tmp_path):
    names = {"en": ENGLISH, "fi": ntrex("fin")}
    with zipfile.ZipFile(tmp_path / "opus.zip", "w") as archive:
        archive.writestr("README", "made of NTREX-128")
        for language, file in names.items():
            archive.writestr(f"NTREX.en-fi.{language}", lzma.decompress(file.read_bytes()))
    for name, files in (("zip", [tmp_path / "opus.zip"]), ("files", list(names.values()))):
        write_bitext(files=files, languages=["en", "fi"], out=tmp_path / name)
    assert (tmp_path / "zip/train.parquet").read_bytes() == (tmp_path / "files/train.parquet").read_bytes()
