"""What a function takes, as options of a command: types say what is typed, the docstring's ``Args`` what it means.

A sequence takes several words, a mapping ``NAME=VALUE`` words, a ``Literal`` one of its values, ``True`` or ``False`` a
flag. The fields of a dataclass are options like any other.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from switchrank.core.errors import UserError

if TYPE_CHECKING:
    from switchrank.core.command import Command

NOTHING = inspect.Parameter.empty
"""In place of a default where there is none."""
_ROLE = re.compile(r":\w+:`~?(?:\w+\.)*([\w.]+)`")
_ASIDE = re.compile(r" \(:\w+:`[^`]+`\)")
_FORMS = {int: "N", float: "X", str: "TEXT"}
_OVERWRITE = "replace the folder whatever it holds"


@dataclass(frozen=True)
class Option:
    """One thing that a command takes: a parameter, or a field of a parameter that is a dataclass.

    Attributes:
        within: the parameter whose dataclass has it as a field; empty for one that the function does not take.
        flag: what is typed before it; of a positional one, its name in the help.
        hint: the type of what is typed.
        form: what stands for its value in the help.
        read: what makes the value from what is typed.
    """

    name: str
    within: str | None
    flag: str
    hint: Any
    default: Any
    help: str
    form: str | None = None
    read: Callable[[Any], Any] | None = None

    @property
    def required(self) -> bool:
        return self.default is NOTHING

    @property
    def placed(self) -> bool:
        return not self.flag.startswith("--")

    @property
    def values(self) -> tuple[Any, ...]:
        one = get_args(self.hint)[0] if get_origin(self.hint) is list else self.hint
        return next((get_args(part) for part in _members(one) if get_origin(part) is Literal), ())

    def value(self, typed: Any) -> Any:
        """What the function takes for what was typed; a default that is no text needs no reading."""
        given = isinstance(typed, str) or typed is not self.default
        return self.read(typed) if self.read and given and typed is not None else typed


def options_of(command: Command, function: Callable[..., Any]) -> Iterator[Option]:
    """The options that a command offers of its function, in the order of its parameters."""
    hints, told = get_type_hints(function), _described(function)
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        holder = holder_of(command, name, hints[name])
        if holder is None:
            yield from _option(command, name, None, hints[name], parameter.default, told)
            continue
        inner, said = get_type_hints(holder), _described(holder)
        for part in fields(holder):
            made = part.default if part.default_factory is MISSING else part.default_factory()
            usual = getattr(parameter.default, part.name, NOTHING if made is MISSING else made)
            yield from _option(command, part.name, name, inner[part.name], usual, said)


def holder_of(command: Command, name: str, hint: Any) -> Any:
    """The dataclass whose fields are what is typed for a parameter, if it has one."""
    typed = _typed_by(command.reads[name]) if name in command.reads else hint
    return next((one for one in (typed, *get_args(typed)) if isinstance(one, type) and is_dataclass(one)), None)


def named(words: Sequence[str], flag: str, form: str) -> dict[str, str]:
    """``NAME=VALUE`` words as a mapping; UserError for a word that is not of the form, or a name twice."""
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if not (name and value) or name in found:
            raise UserError("command line", flag, f"'{word}'", f"write {form}, each {form.partition('=')[0]} once")
        found[name] = value
    return found


def plain_text(text: str) -> str:
    """A docstring's text without its markup, and without names of code in brackets."""
    return _ROLE.sub(r"\1", _ASIDE.sub("", text)).replace("``", "")


def _option(
    command: Command, name: str, within: str | None, hint: Any, default: Any, told: Mapping[str, str]
) -> Iterator[Option]:
    if name in command.unasked:
        return
    flag = command.flags.get(name, name.replace("_", "-"))
    flag = flag.upper() if name in command.places else f"--{flag}"
    read = None if name == within else command.reads.get(name)
    form = command.forms.get(name)
    if read is not None:
        hint = _typed_by(read)
    elif _is_mapping(hint):
        wanted = form = form or "LANG=PATH"
        read = lambda words: named(words, flag, wanted)  # noqa: E731
    typed = _typed(hint)
    several = get_origin(typed) is list
    if name in command.choices:
        one: Any = Literal.__getitem__(tuple(command.choices[name]))
        typed = list[one] if several else one
    if form is None:
        inside = [part for one in _members(hint) for part in (one, *get_args(one))]
        paths = any({str, Path} <= set(_members(one)) for one in (hint, *inside))
        form = "PATH" if paths else _FORMS.get(get_args(typed)[0] if several else typed)
    _, most = command.counts.get(name, (1, None)) or (1, 1)
    if form and several and most is None:
        form += "..."
    help = told.get(name, _OVERWRITE if name == "overwrite" else "")
    yield Option(name, within, flag, typed, NOTHING if name in command.needs else default, help, form, read)


def _typed_by(read: Callable[[Any], Any]) -> Any:
    return next(iter(get_type_hints(read).values()))


def _members(hint: Any) -> list[Any]:
    """The types of a union, None left out, or the one type."""
    either = get_origin(hint) in (Union, types.UnionType)
    return [one for one in get_args(hint) if one is not type(None)] if either else [hint]


def _is_mapping(hint: Any) -> bool:
    origins = [get_origin(one) for one in _members(hint)]
    return any(isinstance(one, type) and issubclass(one, Mapping) for one in origins)


def _typed(hint: Any) -> Any:
    """The type of what is typed: paths are text, and whatever holds several values is a list."""
    members = _members(hint)
    if _is_mapping(hint):
        return list[str]
    for member in members:
        origin, inside = get_origin(member), get_args(member)
        if isinstance(origin, type) and issubclass(origin, Collection | Iterable):
            if origin is tuple and Ellipsis not in inside:
                return member
            return list[_typed(inside[0])]  # type: ignore[misc]
    return str if {str, Path} <= set(members) else Union[tuple(members)]  # noqa: UP007


def _described(documented: Any) -> dict[str, str]:
    """What the docstring says of each parameter or attribute, in plain text; a class says what its bases say too."""
    from docstring_parser import DocstringStyle, parse

    told = {}
    for one in reversed(documented.__mro__) if isinstance(documented, type) else [documented]:
        for parameter in parse(inspect.cleandoc(one.__doc__ or ""), DocstringStyle.GOOGLE).params:
            told[parameter.arg_name] = plain_text(" ".join((parameter.description or "").split()))
    return told
