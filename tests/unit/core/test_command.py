"""A typed function becomes a command: its signature is what can be typed, its docstring the help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from switchrank.core.command import ANY_NUMBER, ONE_EACH, Command, Group, run
from switchrank.core.errors import UserError


@dataclass(frozen=True)
class Oven:
    """How it is baked.

    Attributes:
        degrees: how hot.
        grill: from above.
    """

    degrees: int = 200
    grill: bool = False


@dataclass(frozen=True)
class FanOven(Oven):
    """With a fan.

    Attributes:
        speed: of the fan.
    """

    speed: Literal["low", "high"] = "low"


USUAL = FanOven(degrees=180)
BAKED: list[dict[str, Any]] = []


def bake(
    *,
    cake: str | Path,
    layers: Sequence[int],
    out: str | Path,
    fillings: Mapping[str, str] | None = None,
    oven: FanOven = USUAL,
    guests: Sequence[str] = ("Ann", "Bob"),
    weight: float | None = None,
) -> int:
    """Bake a cake.

    It is *very* good with ``butter``, see :mod:`switchrank.butter`.

    Args:
        cake: what to bake.
        layers: how thick each is.
        out: where it goes (:func:`switchrank.table.plate`).
        fillings: of each layer.
        oven: see :class:`FanOven`.
        guests: who comes.
        weight: of all.

    Returns:
        What is left.
    """
    BAKED.append(dict(locals()))
    return 3


CAKE = Command(bake)
NEEDED = ["apple", "--layers", "1", "2", "--out", "plate"]


@pytest.fixture(autouse=True)
def kitchen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    BAKED.clear()


def typed(words: list[str], **changes: Any) -> dict[str, Any]:
    assert run("switchrank bake", Command(bake, places=["cake"], **changes), words) == 3
    return BAKED.pop()


def test_the_function_gets_what_was_typed_and_its_own_defaults_for_the_rest():
    assert typed(NEEDED) == {
        "cake": "apple",
        "layers": [1, 2],
        "out": "plate",
        "fillings": None,
        "oven": FanOven(180, False, "low"),
        "guests": ("Ann", "Bob"),
        "weight": None,
    }


def test_fields_of_a_dataclass_are_options_and_come_as_one():
    given = typed([*NEEDED, "--grill", "--speed", "high", "--weight", "1.5"])
    assert (given["oven"], given["weight"]) == (FanOven(180, True, "high"), 1.5)


def test_a_mapping_is_typed_as_names_and_values_in_one_go_or_several():
    given = typed([*NEEDED, "--fillings", "1=jam", "2=a=b", "--fillings", "3=cream"])
    assert given["fillings"] == {"1": "jam", "2": "a=b", "3": "cream"}


@pytest.mark.parametrize("words", [["1"], ["=jam"], ["1="], ["1=jam", "1=cream"]])
def test_a_mapping_wants_each_name_once_and_a_value(words):
    with pytest.raises(UserError, match=r"--fillings: '[^']*': write LAYER=JAM, each LAYER once"):
        typed([*NEEDED, "--fillings", *words], forms={"fillings": "LAYER=JAM"})
    assert BAKED == []


def test_a_flag_may_take_one_value_each_and_leave_the_next_word_alone():
    once = {"layers": ONE_EACH, "fillings": ONE_EACH}
    given = typed(["--layers", "1", "--layers", "2", "--out", "plate", "--fillings", "1=jam", "apple"], counts=once)
    assert (given["layers"], given["fillings"], given["cake"]) == ([1, 2], {"1": "jam"}, "apple")


def test_an_empty_list_is_typed_only_where_it_may_be():
    with pytest.raises(UserError, match=r"--guests: too few or too many values: write --guests TEXT\.\.\."):
        typed([*NEEDED, "--guests"])
    assert typed([*NEEDED, "--guests"], counts={"guests": ANY_NUMBER})["guests"] == []


def test_what_is_typed_may_be_read_first():
    def halved(text: str) -> FanOven:
        return FanOven(int(text) // 2)

    assert typed([*NEEDED, "--oven", "300"], reads={"oven": halved})["oven"] == FanOven(150)


def test_a_dataclass_of_the_command_line_may_stand_for_what_the_function_takes():
    def dearer(given: Oven) -> FanOven:
        return FanOven(given.degrees + 20, given.grill)

    assert typed([*NEEDED, "--degrees", "100"], reads={"oven": dearer})["oven"] == FanOven(120)


def test_what_is_not_offered_cannot_be_typed_and_keeps_its_default():
    with pytest.raises(UserError, match="--guests: unknown option"):
        typed([*NEEDED, "--guests", "Eve"], unasked=["guests"])
    assert typed(NEEDED, unasked=["guests"])["guests"] == ("Ann", "Bob")


def test_an_option_that_the_command_needs_is_asked_for():
    with pytest.raises(UserError, match="missing --weight: see switchrank bake --help"):
        typed(NEEDED, needs=["weight"])


def test_a_word_behind_two_hyphens_is_no_option():
    assert run("switchrank bake", Command(bake, places=["cake"]), [*NEEDED[1:], "--", "--help"]) == 3
    assert BAKED[0]["cake"] == "--help"


def test_help_tells_names_types_defaults_and_what_the_docstring_says(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("switchrank.core.command.EXAMPLES", tmp_path / "examples.txt")
    calls = "switchrank boil egg\n\n# with apples\nswitchrank bake apple \\\n    --layers 1 2\n"
    (tmp_path / "examples.txt").write_text(calls)
    assert run("switchrank bake", Command(bake, places=["cake"]), ["--help"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "Usage: switchrank bake --layers N... --out PATH [OPTIONS] CAKE",
        "Bake a cake.",
        "--fillings LANG=PATH...",
        "where it goes.",
        "[default: 180]",
        "from above.",
        "[choices: low, high] [default: low]",
        "[default: Ann Bob]",
        "--overwrite",
        "It is *very* good with butter, see butter.",
        "Examples:\n  # with apples\n  switchrank bake apple \\\n      --layers 1 2\n",
    ):
        assert part in shown
    assert BAKED == []


def test_a_group_runs_its_commands_and_may_do_something_alone(capsys):
    group = Group({"bake": Command(bake, places=["cake"])}, "all about cakes", alone=Command(lambda: print("cake!")))
    assert run("switchrank", group, ["bake", *NEEDED]) == 3
    assert run("switchrank", group, []) == 0
    assert capsys.readouterr().out == "cake!\n"
    with pytest.raises(UserError, match="switchrank: no command: write one of bake; see switchrank --help"):
        run("switchrank", Group({"bake": CAKE}), [])
