"""The ablation table: what is read, what is refused in one line, and how it is made from axes."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.ablation.rows import Row, expand_rows, read_ablation, table_text
from switchrank.cli import main
from switchrank.core.errors import UserError

HEADER = "id\tstart\tlanguage\texamples\tseed\n"
KNOWN = {"languages": ["en", "de"], "systems": ["zero-shot", "ml-cs"]}


@pytest.fixture
def read(tmp_path):
    """Read the lines of a table, header given."""

    def read(*lines, header=HEADER, **known):
        path = tmp_path / "t.tsv"
        path.write_bytes((header + "".join(f"{line}\n" for line in lines)).encode())
        return read_ablation(path, **(KNOWN | known))

    return read


def test_rows_come_in_the_order_of_the_file_as_plain_values(read):
    rows = read("b\tml-cs\tde\t16\t2", "a\tnone\ten\t0\t0")
    assert rows == [Row("b", "ml-cs", "de", 16, 2), Row("a", "none", "en", 0, 0)]
    assert {type(value) for row in rows for value in vars(row).values()} == {str, int}


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_do_no_harm(read):
    rows = read("a\tml-cs\tde\t16\t2\r", "", "\r", header="\ufeff" + HEADER.replace("\n", "\r\n"))
    assert rows == [Row("a", "ml-cs", "de", 16, 2)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a\tml-cs\tde\t16", "line 3: 4 cells: write 5 with tabs: id start language examples seed"),
        ("a\tml-cs\tde\t16\t1\tx", "line 3: 6 cells: write 5 with tabs: id start language examples seed"),
        ("a b\tml-cs\tde\t16\t1", "line 3: id 'a b': use letters, digits, '-', '_', '.', and a letter or digit first"),
        (
            "../a\tml-cs\tde\t16\t1",
            "line 3: id '../a': use letters, digits, '-', '_', '.', and a letter or digit first",
        ),
        ("\tml-cs\tde\t16\t1", "line 3: id '': use letters, digits, '-', '_', '.', and a letter or digit first"),
        ("a\tml-cs\tde\t-1\t1", "line 3: examples '-1': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t16.0\t1", "line 3: examples '16.0': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t016\t1", "line 3: examples '016': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t\t1", "line 3: examples '': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t16\tone", "line 3: seed 'one': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t16\t-1", "line 3: seed '-1': write a whole number from 0, such as 16"),
        ("a\tml-cs\tde\t16\t2147483648", "line 3: seed 2147483648 is too large: write 2147483647 at most"),
        ("a\tml-cs\tfr\t16\t1", "line 3: unknown language 'fr': known: en, de"),
        ("a\twiki\tde\t16\t1", "line 3: start 'wiki' is no declared system: known: none, zero-shot, ml-cs"),
        (
            "ml-cs\tml-cs\tde\t16\t1",
            "line 3: id ml-cs is the name of a system: choose another: both name rows of scores",
        ),
        ("first\tml-cs\tde\t16\t1", "line 3: id first twice: give every row an id of its own, not only in case"),
        ("FIRST\tml-cs\tde\t16\t1", "line 3: id FIRST twice: give every row an id of its own, not only in case"),
        ("a\tnone\tde\t0\t1", "line 3: the setting of row first again: keep one of the two"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(read, line, problem):
    with pytest.raises(UserError) as caught:
        read("first\tnone\tde\t0\t1", line)
    assert str(caught.value).partition("t.tsv: ")[2] == problem


def test_a_table_that_is_none_is_refused(read, tmp_path):
    with pytest.raises(UserError, match=r"line 1: columns \['id', 'start'\]: write id start language examples seed"):
        read(header="id\tstart\n")
    with pytest.raises(UserError, match="no rows: add one"):
        read()
    with pytest.raises(UserError, match="no such ablation table: correct the path"):
        read_ablation(tmp_path / "none.tsv", **KNOWN)
    with pytest.raises(UserError, match=r"a system is called none, .*: give that system another name"):
        read("a\tnone\tde\t0\t1", systems=["none"])
    (tmp_path / "latin.tsv").write_bytes(HEADER.encode() + b"\xe4\tml-cs\tde\t16\t1\n")
    with pytest.raises(UserError, match="not a UTF-8 table"):
        read_ablation(tmp_path / "latin.tsv", **KNOWN)


def test_names_are_not_checked_where_none_are_given(read):
    assert read("a\twiki\tfr\t16\t1", languages=None, systems=None) == [Row("a", "wiki", "fr", 16, 1)]


names = st.lists(st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,3})?", fullmatch=True), min_size=1, max_size=3, unique=True)


@given(names, names, *[st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True)] * 2)
def test_a_grid_is_every_combination_and_reads_back_as_written(tmp_path_factory, starts, languages, examples, seeds):
    rows = expand_rows(starts=starts, languages=languages, examples=examples, seeds=seeds)
    assert len(rows) == len(starts) * len(languages) * len(examples) * len(seeds)
    path = tmp_path_factory.mktemp("grid") / "t.tsv"
    path.write_text(table_text(rows))
    assert read_ablation(path, languages=None, systems=None) == rows


GRID = ["ablation", "grid", "--starts", "none", "ml-cs", "--languages", "de", "--examples", "0", "16", "--seeds", "1"]


def test_the_command_prints_a_grid_or_writes_it_and_never_over_one_that_was_edited(tmp_path, capsys):
    assert main(GRID) == 0
    printed = capsys.readouterr().out
    assert printed == HEADER + (
        "none_de_n0_seed1\tnone\tde\t0\t1\nnone_de_n16_seed1\tnone\tde\t16\t1\n"
        "ml-cs_de_n0_seed1\tml-cs\tde\t0\t1\nml-cs_de_n16_seed1\tml-cs\tde\t16\t1\n"
    )
    out = tmp_path / "t.tsv"
    assert main([*GRID, "--out", str(out)]) == 0
    assert out.read_text() == printed
    out.write_text("edited")
    assert main([*GRID, "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith(f"{out}: exists already, and is not as switchrank ablation grid left it")
    assert out.read_text() == "edited"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tsv"]


@pytest.mark.parametrize(
    ("axis", "problem"),
    [
        ({"examples": [16, 16]}, r"ablation grid: examples: \[16, 16\]: give at least one value, each once"),
        ({"seeds": []}, r"ablation grid: seeds: \[\]: give at least one value, each once"),
        ({"examples": [-1]}, "ablation grid: examples: -1: give whole numbers from 0"),
        ({"starts": ["ml cs"]}, "ablation grid: starts: 'ml cs': use letters, digits"),
    ],
)
def test_a_bad_axis_is_named(axis, problem):
    axes = {"starts": ["ml-cs"], "languages": ["de"], "examples": [0], "seeds": [1]}
    with pytest.raises(UserError, match=problem):
        expand_rows(**(axes | axis))


def test_reading_the_table_imports_nothing_heavy():
    code = "import sys, switchrank.ablation.rows, switchrank.ablation.cli; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in ("polars", "numpy", "torch", "pydantic", "snakemake") if f"'{name}'" in done.stdout]
