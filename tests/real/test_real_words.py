"""Words of real text in many scripts: nothing is lost, every script has words, keys do what they say."""

from __future__ import annotations

import lzma
import os
import re
import tarfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from switchrank.text.equality import key, lower
from switchrank.text.segmenters import LIBRARIES, load_segmenter, segmenter_spec
from switchrank.text.words import join_words, split_words

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
MODULES = {"icu": "icu4py", "jieba": "rjieba", "sudachi": "sudachidict_small"}


def unpacked(path: Path) -> list[str]:
    return lzma.decompress(path.read_bytes()).decode("utf-8").split("\n")


def tatoeba() -> Iterator[tuple[str, list[str]]]:
    with tarfile.open(DATA / "tatoeba-laser" / "tatoeba-v1.tar.xz") as archive:
        for member in archive:
            named = re.fullmatch(r".*tatoeba\.(\w+)-eng\.\1", member.name)
            if named:
                file = archive.extractfile(member)
                assert file is not None
                yield named[1], file.read().decode("utf-8").split("\n")


def sources() -> Iterator[tuple[str, list[str]]]:
    yield from tatoeba()
    for folder, pattern in (("ntrex-128", "*.txt.xz"), ("bible", "*.xz"), ("frequency-words/2018", "*.xz")):
        files = sorted((DATA / folder).glob(pattern))
        assert files, f"{folder} holds no {pattern}"
        for file in files:
            yield f"{folder}/{file.name}", unpacked(file)


def test_no_line_of_any_script_loses_a_character_and_every_file_has_words():
    started, words, languages = time.perf_counter(), 0, 0
    for name, lines in sources():
        found = 0
        for line in lines:
            split, gaps = split_words(line)
            assert join_words(split, gaps) == line, name
            found += len(split)
        assert found >= sum(bool(line.strip()) for line in lines), name
        words, languages = words + found, languages + 1
    print(f"{languages} files, {words} words, {words / (time.perf_counter() - started):.0f} words a second")
    assert languages >= 108 + 16 + 3 + 8


def test_a_word_has_one_key_however_it_is_composed_and_in_either_case():
    distinct = {word for _, lines in sources() for line in lines for word in split_words(line)[0]}
    other_in_capitals = 0
    for word in distinct:
        folded = key(word)
        assert folded
        assert folded == key(folded)
        assert not any(map(str.isspace, folded))
        assert {key(unicodedata.normalize(form, word)) for form in ("NFC", "NFD")} == {folded}, word
        other_in_capitals += key(word.upper()) != folded
    assert other_in_capitals == 0


def test_composing_text_first_gives_the_same_words():
    for name, lines in tatoeba():
        for line in lines:
            composed = split_words(unicodedata.normalize("NFC", line))[0]
            assert [*map(key, composed)] == [*map(key, split_words(line)[0])], name


def test_few_turkish_words_fall_together_because_i_has_one_key():
    rows = (line.split() for line in unpacked(DATA / "frequency-words" / "2018" / "tr_50k.txt.xz") if line)
    counts: Counter[str] = Counter()
    for word, count in rows:
        counts[lower(word, "tr")] += int(count)
    together = defaultdict(list)
    for word, count in counts.items():
        together[word.replace("ı", "i")].append(count)
    merged = [sorted(group)[:-1] for group in together.values() if len(group) > 1]
    assert (len(counts), len(merged)) == (49_537, 292)
    assert sum(map(sum, merged)) / counts.total() == pytest.approx(0.012, abs=0.001)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_segmenter_loses_nothing_and_cuts_unspaced_text_into_words_of_several_characters(name):
    if find_spec(MODULES[name]) is None:
        pytest.skip(f"{MODULES[name]} is not installed")
    split = load_segmenter(segmenter_spec(name))
    seen = 0
    for language, lines in tatoeba():
        words = 0
        characters = 0
        for line in lines:
            found, gaps = split(line)
            assert join_words(found, gaps) == line, language
            words += len(found)
            characters += sum(map(len, found))
        if {"cmn": "zh", "jpn": "ja", "tha": "th", "khm": "km"}.get(language, "") in LIBRARIES[name].languages:
            print(f"{name} {language}: {words} words of {characters / words:.2f} characters")
            assert 1.3 < characters / words < 5
            seen += 1
    assert seen
