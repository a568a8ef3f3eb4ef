"""`--cache`: what is made for a language in one run is taken over by another run, and only for this language."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter

import polars as pl
import pytest

from tests.conftest import SMOKE, Workflow

pytestmark = pytest.mark.slow
SCRIPTS = {"qaa": "GEORGIAN", "qac": "CANADIAN"}
"""How the names of a language's letters begin."""
WORDS = {"lexicons/clwe/en-{}.parquet": "target", "lexicons/titles/en-{}.parquet": "target"}
WORDS |= {"vectors/raw/{}.words.parquet": "word", "vectors/aligned/{}.words.parquet": "word"}
"""Tables of a language, each with the column of its words."""


def made(workflow: Workflow, run: str) -> dict[str, bytes]:
    """Vectors and lexicons of a run."""
    results = workflow.folder / "results" / run
    files = [file for kind in ("vectors", "lexicons") for file in (results / kind).rglob("*") if file.is_file()]
    return {file.relative_to(results).as_posix(): file.read_bytes() for file in files}


def script(table: bytes, column: str) -> str:
    """What most letters of a column are called."""
    letters = "".join(pl.read_parquet(io.BytesIO(table))[column])
    return Counter(unicodedata.name(letter).split()[0] for letter in letters if letter.isalpha()).most_common(1)[0][0]


def test_a_second_run_takes_vectors_and_lexicons_from_the_first_and_mixes_up_no_language(finished, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(SMOKE.read_text().replace("run: smoke", "run: other").replace("results/smoke", "results/other"))
    one, two = Workflow(tmp_path / "one"), Workflow(tmp_path / "two", other)
    shared = {"SNAKEMAKE_OUTPUT_CACHE": str(tmp_path / "shared")}
    for folder in (one.folder, two.folder, tmp_path / "shared"):
        folder.mkdir()
    first = one.run("--cache", "--", "lexicon", **shared).stdout
    second = two.run("--cache", "--", "lexicon", **shared).stdout
    assert ("Moving output file" in first, "Moving output file" in second) == (True, False)
    alone, taken = made(finished, "smoke"), made(two, "other")
    assert made(one, "smoke") == taken == {name: alone[name] for name in taken}
    for name in taken:
        if "degrade" not in name:
            assert (two.folder / "results" / "other" / name).is_symlink(), name
            assert f"Symlinking output file results/other/{name} from cache" in second
    for kind, column in WORDS.items():
        assert {lang: script(taken[kind.format(lang)], column) for lang in SCRIPTS} == SCRIPTS, kind
    assert len({taken[f"vectors/aligned/{lang}.npy"] for lang in SCRIPTS}) == len(SCRIPTS)
    assert "Nothing to be done" in two.run("-n", "--", "lexicon").stdout


def test_links_to_a_relative_folder_would_lead_nowhere(tmp_path):
    done = Workflow(tmp_path).run("-n", "--cache", check=False, SNAKEMAKE_OUTPUT_CACHE="shared")
    assert done.returncode == 2
    assert done.stdout.strip().splitlines()[-1].startswith("SNAKEMAKE_OUTPUT_CACHE: shared is a relative path: ")
