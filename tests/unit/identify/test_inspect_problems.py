"""What is wrong with a file is told, with lines; what is no data is one line; nothing is a traceback or a hang."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inspect_files import (
    DICTIONARY,
    DOCUMENTS,
    FILES,
    LANGLINKS_SQL,
    PAGE_SQL,
    PASSAGE,
    TEI,
    TOPICS,
    WIKI,
    fasttext_binary,
    lines,
    records,
    safetensors,
    squad,
    vectors_binary,
)
from tests.growth import FACTOR, assert_no_square

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.identify import source as source_module
from switchrank.identify.look import inspect_path


def problems(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "x").write_bytes(content)
    return "; ".join(inspect_path(tmp_path / "x").problems)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lines("#\twhat is it", times=20) + b"no tab\n", "no tab (line 21)"),
        (lines("#\twhat is it", times=20) + b"3\tagain it is\n", "1 rows repeat qid (line 21)"),
        (lines("#\twhat is it") + b"9\t \n", "empty text (line 7)"),
        (lines("#\twhat is it") + b"9\tcaf\xe9 x\n", "not UTF-8 (byte 0xe9) (line 7)"),
        (lines("# 0 d# 1", times=20) + b"1 0 d99 x\n", "relevance 'x' (line 21)"),
        (b"3 2\na 1 2\nb 1 2\n", "the header promises 3 rows, the file has 2"),
        (b"2 2\na 1 2\nb 1 nan\n", "1 rows without a direction"),
        (b"3 2\na 1 2\nb 1 2\nc 1", "broken off in the middle of a row of 2 numbers (line 4)"),
        (vectors_binary()[:-9], "the header promises 5 rows, the file has 4"),
        (fasttext_binary("a", "b")[:-9], "broken off: not a whole fastText model"),
        (fasttext_binary("a", "b")[:105], "broken off: not a whole fastText model"),
        (records(_id="d#", title="T", text=PASSAGE) + b"{\n", "in double quotes) (line 5 column 2)"),
        (records(_id="d1", title="T", text=PASSAGE), "3 rows repeat _id (line 2, 3, 4)"),
        (records(times=30, docid="#", text="x") + b'{"docid": "y"}\n', "no member 'text' (line 31)"),
        (squad()[:-4], "not JSON"),
        (squad(question=" "), "1 empty questions left out"),
        (PAGE_SQL[:-20], "the file ends inside this statement"),
        (
            PAGE_SQL.replace(b"(3,14,'C')", b"(3,14,'C','D')").replace(b"(1,0,'A_(b)'),", b"(1,0),"),
            "rows that do not have the 3 columns page_id",
        ),
        (LANGLINKS_SQL[:-2] + b"\n", "the file ends inside this statement"),
        (WIKI.encode()[:-5], "not well-formed XML"),
        (WIKI.encode().replace(b"<mediawiki", b'<!DOCTYPE m [<!ENTITY a "b">]><mediawiki', 1), "declares the entity a"),
        (TEI.replace(b"</sense>", b"", 1), "not well-formed XML"),
        (TOPICS + b"<top>\n<num>2</num><title>z</title>\n</top>", "1 rows repeat num (line 9)"),
        (DOCUMENTS[:-8], "<DOC> without an end (line 5)"),
        (DOCUMENTS.replace(b"some text", b" "), "empty text (line 1)"),
        (safetensors()[:-3], "truncated, or not a file of safetensors"),
        (pickle.dumps([1]), "switchrank import-model"),
        (b"\x28\xb5\x2f\xfd" + bytes(30), "zstd -d"),
        (b"\xff\xfe" + lines("#\twhat is it").decode().encode("utf-16-le"), "convert it to UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, content, told):
    assert told in problems(tmp_path, content)


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: bz2.compress(text, 1), lzma.compress])
def test_a_truncated_packed_file_is_named_and_its_damage_told(tmp_path, pack):
    import random

    noise = random.Random(1)
    rows = "".join(f"{n}\t{' '.join(f'w{noise.random()}' for _ in range(40))}\n" for n in range(400))
    packed = pack(rows.encode())
    (tmp_path / "x").write_bytes(packed[: len(packed) // 2])
    found = inspect_path(tmp_path / "x")
    assert found.format == "documents-tsv"
    assert 0 < found.rows < 400
    assert "truncated or corrupt" in found.problems[0]


def test_quick_reads_the_start_and_estimates(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "QUICK", 1 << 20)
    (tmp_path / "x").write_bytes(gzip.compress(lines(f"#\t{PASSAGE}", times=20_000)))
    found = inspect_path(tmp_path / "x", quick=True)
    assert found.estimated
    assert found.rows == pytest.approx(20_000, rel=0.1)


def test_weights_in_a_pickle_are_named_in_file_and_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert "import-model" in inspect_path(tmp_path / "pytorch_model.bin").problems[0]
    assert "import-model" in inspect_path(tmp_path).problems[0]


def test_a_zip_bomb_ends_in_one_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("switchrank.files.reading._BOMB_BYTES", 1 << 22)
    with zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
        for _ in range(12):
            member.write(b"x y z" + bytes(1 << 20))
    with pytest.raises(UserError):
        inspect_path(tmp_path / "x")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "holds a web page"),
        (b"", "empty"),
        (b"\x1f\x8bgarbage", "truncated or corrupt gzip"),
        (bytes(range(256)) * 4, "of no format that is known"),
        (b'{"a": 1}', "of no format that is known"),
        (b"<x><y/></x>", "of no format that is known"),
    ],
)
def test_what_is_no_data_is_one_line_and_exit_code_2(tmp_path, capsys, content, told):
    (tmp_path / "x").write_bytes(content)
    assert main(["inspect", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_the_exit_code_tells_sound_from_damaged(tmp_path, capsys):
    (tmp_path / "good").write_bytes(DICTIONARY)
    (tmp_path / "bad").write_bytes(b"3 2\na 1 2\n")
    assert main(["inspect", str(tmp_path / "good")]) == 0
    assert main(["inspect", str(tmp_path / "good"), str(tmp_path / "bad")]) == 1
    assert "wrong" in capsys.readouterr().out


def test_json_is_one_object_a_line_with_all_that_the_text_has(tmp_path, capsys):
    (tmp_path / "x").write_bytes(DICTIONARY)
    main(["inspect", "--json", str(tmp_path / "x")])
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["rows"], told["sound"], told["problems"]) == ("dictionary", 12, True, [])
    assert told["entry"].startswith("lexicons:")


def test_a_sample_carries_nothing_that_a_terminal_would_act_on(tmp_path, capsys):
    (tmp_path / "x").write_bytes(lines("#\twhat \x1b[31mis\x07 it"))
    main(["inspect", str(tmp_path / "x")])
    assert "\x1b" not in capsys.readouterr().out


def inspected(folder: Path, content: bytes) -> None:
    """Any bytes give a finding that can be told, or one line."""
    file = folder / "fuzz"
    file.write_bytes(content)
    refused, found = "", None
    try:
        found = inspect_path(file)
    except UserError as error:
        refused = str(error)
    assert "\n" not in refused
    if found is None:
        return
    assert found.rows >= 0
    assert found.as_text("x")
    assert json.dumps(found.as_json("x"))


LAW = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STARTS = [content for _, _, content in FILES]


@LAW
@given(content=st.binary(max_size=400))
def test_any_bytes_give_an_answer(tmp_path, content):
    inspected(tmp_path, content)


@LAW
@given(content=st.sampled_from(STARTS), cut=st.integers(0, 400), more=st.binary(max_size=60), at=st.integers(0, 400))
def test_damaged_files_of_every_format_give_an_answer(tmp_path, content, cut, more, at):
    inspected(tmp_path, content[:at] + more + content[at + cut % 7 :][: len(content) - cut % 50])


@LAW
@given(content=st.sampled_from(STARTS), cut=st.integers(1, 40), packing=st.sampled_from(["gz", "bz2", "xz", "zip"]))
def test_damaged_packed_files_give_an_answer(tmp_path, content, cut, packing):
    if packing == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x", content)
        whole = packed.getvalue()
    else:
        whole = {"gz": gzip, "bz2": bz2, "xz": lzma}[packing].compress(content)
    inspected(tmp_path, whole[:-cut])


NAMES = st.sampled_from(["id", "text", "data", "paragraphs", "qas", "context", "labels", "main", "queries", "query"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inside, max_size=4),
    max_leaves=12,
)


@settings(LAW, max_examples=60)
@given(value=JSON)
def test_json_of_any_shape_gives_an_answer(tmp_path, value):
    inspected(tmp_path, json.dumps(value).encode())
    inspected(tmp_path, (json.dumps(value) + "\n").encode() * 3)


@pytest.mark.parametrize(
    ("head", "repeated", "times", "tail"),
    [
        (b"INSERT INTO `page` VALUES ('", b"\\'", 500_000, b""),
        (b"INSERT INTO `page` VALUES ('a", b"'a", 500_000, b""),
        (b"", b"INSERT INTO x ", 80_000, b""),
        (b"", b"<", 1_000_000, b""),
        (b"", b"<!--", 250_000, b""),
        (b"<top>\n<num>", b" ", 1_000_000, b""),
        (b"<DOC><DOCNO>1</DOCNO>", b"<", 1_000_000, b""),
        (b"w ", b"1", 1_000_000, b"x"),
        (b"3 4\nw ", b"1", 1_000_000, b"x"),
        (b"", b"[", 1_000_000, b""),
        (b"", b'{"a":', 200_000, b""),
        (b"", b"\t", 1_000_000, b""),
        (b"", b"a\t", 300_000, b"\n"),
        (b"1\t2\t", b"9", 6_000, b"\n"),
    ],
    ids=lambda part: part[:20].decode() if isinstance(part, bytes) else None,
)
def test_hostile_files_cost_linear_time(tmp_path, head, repeated, times, tail):
    assert_no_square(lambda size: inspected(tmp_path, head + repeated * size + tail), times // FACTOR)
