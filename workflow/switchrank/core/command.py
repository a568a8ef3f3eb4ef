"""Commands made from typed functions, by tables: :class:`Group` of :class:`Command`.

A signature is a command line: types say what is typed, and the docstring is the help. A sequence takes several words, a
mapping ``NAME=VALUE`` words, a ``Literal`` one of its values, ``True`` or ``False`` a flag. The fields of a dataclass
are options like any other. cyclopts parses and explains. A module is imported when one of its commands is asked for.
"""

from __future__ import annotations

import difflib
import inspect
import json
import pkgutil
import re
import shutil
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from switchrank.core.errors import UserError
from switchrank.core.outputs import guarded
from switchrank.core.ownership import Kind

if TYPE_CHECKING:
    from cyclopts import App, CycloptsError, Parameter, Token

Count = tuple[int, int | None] | None
ANY_NUMBER: Count = (0, None)
"""Of values behind a flag: none is allowed too."""
ONE_EACH: Count = None
"""The flag stands before every value."""
EXAMPLES = Path(__file__).parents[1] / "examples.txt"
"""Calls of all commands as they are typed, separated by empty lines, some with a comment before them."""
_KINDS = {int: "a whole number", float: "a number"}
_REPLACE = "replace files that are there, whoever wrote them"
NOTHING = inspect.Parameter.empty
"""In place of a default where there is none."""
_ROLE = re.compile(r":\w+:`~?(?:\w+\.)*([\w.]+)`")
_ASIDE = re.compile(r" \(:\w+:`[^`]+`\)")
_FORMS = {int: "N", float: "X", str: "TEXT"}
_OVERWRITE = "replace the folder whatever it holds"


@dataclass(frozen=True)
class Command:
    """A function that can be called from the command line.

    Attributes:
        run: the function, or ``module:name`` of one in this package. A whole number that it returns is the exit code.
        summary: what it does, in a line without a capital and a full stop; default: the first line of its docstring.
        about: more to know, shown under the options; default: the rest of its docstring.
        writes: the parameters that each name a file to write, or what gives the files by the values of all parameters;
            default: ``out`` and those that end in ``_out``.
        folder: the kind of folder that the parameter ``out`` names, where the function writes one.
        places: positional parameters.
        flags: the flag of a parameter, where it is not its name.
        forms: what stands for a value in the help, where ``PATH``, ``TEXT``, ``N`` and ``LANG=PATH`` do not fit.
        counts: least and largest number of values that may follow a flag, where that is not one or more.
        choices: the values that a parameter may have, where its type does not say.
        reads: functions that make the value of a parameter from what is typed, by the type of their own parameter.
        unasked: parameters that are not offered.
        needs: parameters that must be given though they have a default.
        shown: what prints the result.
    """

    run: str | Callable[..., Any]
    summary: str = ""
    about: str = ""
    writes: Sequence[str] | Callable[[Mapping[str, Any]], Iterable[str | Path]] | None = None
    folder: Kind | None = None
    places: Sequence[str] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Count] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reads: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    unasked: Collection[str] = ()
    needs: Collection[str] = ()
    shown: Callable[[Any], None] | None = None


@dataclass(frozen=True)
class Group:
    """Commands and further groups by name, in the order of the help; ``alone`` is what the group's own name runs."""

    commands: Mapping[str, Command | Group]
    summary: str = ""
    alone: Command | None = None


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


def columns_of(words: Sequence[str]) -> list[int | str]:
    """Columns as they are typed, by number or by name."""
    return [int(word) if word.isdigit() else word for word in words]


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
    return any(isinstance(one, type) and issubclass(one, Mapping) for one in map(get_origin, _members(hint)))


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


class Door:
    """A command that has been asked for: its function is imported, and its options are known."""

    def __init__(self, path: str, command: Command) -> None:
        self.path, self.command = path, command
        self.function = imported(command.run) if isinstance(command.run, str) else command.run
        self.options = list(options_of(command, self.function))
        names = [option.name for option in self.options]
        self.files = command.writes
        if command.writes is None and not command.folder:
            self.files = [name for name in names if name == "out" or name.endswith("_out")]
        if self.files and "overwrite" not in names:
            self.options.append(Option("overwrite", "", "--overwrite", bool, False, _REPLACE))

    def app(self) -> App:
        """The command as cyclopts has it."""
        run = lambda **given: given  # noqa: E731
        parameters = [
            inspect.Parameter(
                option.name,
                inspect.Parameter.POSITIONAL_ONLY if option.placed else inspect.Parameter.KEYWORD_ONLY,
                default=option.default if option.required else None,
                annotation=Annotated[option.hint if option.required else option.hint | None, self._parameter(option)],
            )
            for option in sorted(self.options, key=lambda one: one.placed, reverse=True)
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        made = _app(self.path, self.command)
        made.default(run)
        return made

    def _parameter(self, option: Option) -> Parameter:
        from cyclopts import Parameter

        usual = option.default
        hidden = usual in (NOTHING, None, "", ()) or usual is False or (option.read and not isinstance(usual, str))
        told = " ".join(map(str, usual)) if isinstance(usual, tuple | list) else str(usual)
        return Parameter(
            name=option.flag,
            help=option.help,
            metavar=option.form,
            show_default=False if hidden else told,
            consume_multiple=self.count(option),
            converter=_whole_numbers if option.hint in (int, int | None, list[int]) else None,
        )

    def count(self, option: Option) -> Count:
        """Least and largest number of values that may follow a flag; None where it is one."""
        return self.command.counts.get(option.name, (1, None)) if get_origin(option.hint) is list else None

    def parse(self, words: Sequence[str]) -> dict[str, Any]:
        """What was typed, by option, and the defaults of the others; UserError for a word too many or missing."""
        from cyclopts import CycloptsError

        tokens = list(self._whole_flags(words))
        try:
            _, bound, _ = self.app().parse_args(tokens, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            raise self._mistake(error, tokens) from error
        return {option.name: bound.arguments.get(option.name, option.default) for option in self.options}

    def _whole_flags(self, words: Sequence[str]) -> Iterator[str]:
        known = [option.flag for option in self.options if not option.placed]
        for number, word in enumerate(words):
            if word == "--":
                yield from words[number:]
                return
            flag, equals, value = word.partition("=")
            if not flag.startswith("--") or flag in known:
                yield word
                continue
            meant = [name for name in known if name.startswith(flag)]
            if len(meant) != 1:
                near = meant or difflib.get_close_matches(flag, known, 1)
                meaning = f"did you mean {' or '.join(near)}? " if near else ""
                raise UserError(self.path, flag, "unknown option", f"{meaning}see {self.path} --help")
            yield f"{meant[0]}{equals}{value}"

    def _mistake(self, error: CycloptsError, tokens: Sequence[str]) -> UserError:
        import cyclopts

        token, todo = getattr(error, "token", None), f"see {self.path} --help"
        asked = next((one for one in self.options if error.argument and one.flag == error.argument.name), None)
        place = getattr(token, "keyword", None) or getattr(error, "keyword", None) or ""
        if isinstance(error, cyclopts.UnusedCliTokensError):
            return UserError(self.path, "", f"'{(error.unused_tokens or ['?'])[0]}' is a word too many", todo)
        if isinstance(error, cyclopts.MissingArgumentError):
            if place and asked:
                return UserError(self.path, place, "too few or too many values", f"write {place} {asked.form}; {todo}")
            given = {word.partition("=")[0] for word in tokens}
            placed = [asked.flag] if asked and asked.placed else []
            needed = [one.flag for one in self.options if one.required and not one.placed]
            missing = [*placed, *(flag for flag in needed if flag not in given)]
            return UserError(self.path, "", f"missing {' '.join(missing)}", todo)
        if isinstance(error, cyclopts.CoercionError) and error.argument and asked:
            typed = token.value if token else " ".join(one.value for one in error.argument.tokens)
            wanted = " or ".join(map(str, asked.values)) or _KINDS.get(asked.hint, "whole numbers")
            return UserError(self.path, place or asked.flag, f"'{typed}'", f"write {wanted}; {todo}")
        problem = "given twice" if isinstance(error, cyclopts.RepeatArgumentError) else str(error).rstrip(".")
        return UserError(self.path, place, problem, todo)

    def __call__(self, words: Sequence[str]) -> int:
        given = self.parse(words)
        folder = (given["out"], self.command.folder) if self.command.folder else None
        overwrite = given.get("overwrite", False)
        with guarded(self.written(given), folder=folder, command=self.path, overwrite=overwrite):
            result = self.function(**self._arguments(given))
            if self.command.shown:
                self.command.shown(result)
        return result if isinstance(result, int) and not self.command.shown else 0

    def written(self, given: Mapping[str, Any]) -> list[str | Path]:
        """The files that the command is to write."""
        if callable(self.files):
            return list(self.files(given))
        return [given[name] for name in self.files or () if given.get(name)]

    def _arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The function's own parameters: what was typed is read, and fields are put back into their dataclass."""
        arguments: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for option in self.options:
            place = arguments if option.within is None else parts.setdefault(option.within, {})
            place[option.name] = option.value(given[option.name])
        parts.pop("", None)
        hints = get_type_hints(self.function)
        for name, values in parts.items():
            held = holder_of(self.command, name, hints[name])(**values)
            arguments[name] = self.command.reads[name](held) if name in self.command.reads else held
        return arguments

    def about(self) -> str:
        """What there is to know beside the options."""
        text = re.split(r"\n\n(?:Args|Returns|Raises):\n", inspect.getdoc(self.function) or "")[0]
        return self.command.about or plain_text(text.partition("\n\n")[2])


def run(path: str, entry: Command | Group, words: Sequence[str]) -> int:
    """Run what ``words`` ask of ``entry``, to which ``path`` led, such as ``switchrank lexicon``; the exit code.

    Raises:
        UserError: an unknown command, or what :meth:`Door.parse` and the function raise.
    """
    below, command = (entry.commands, entry.alone) if isinstance(entry, Group) else ({}, entry)
    if words and words[0] in below:
        return run(f"{path} {words[0]}", below[words[0]], words[1:])
    door = Door(path, command) if command else None
    if any(word in ("--help", "-h") for word in (words[: words.index("--")] if "--" in words else words)):
        app = door.app() if door else _app(path, entry)
        for number, (name, inner) in enumerate(below.items()):
            app.command(_app(name, inner, sort_key=number))
        _print_help(app, door.about() if door else "", examples_of(path, entry))
        return 0
    if door:
        return door(words)
    todo = f"write one of {', '.join(below)}; see {path} --help"
    if not words:
        raise UserError(path, "", "no command", todo)
    near = difflib.get_close_matches(words[0], below, 1)
    raise UserError(path, "", f"unknown command '{words[0]}'", f"did you mean {near[0]}? {todo}" if near else todo)


def print_json(result: Any) -> None:
    """Print a result in one line."""
    print(json.dumps(result))


def imported(name: str) -> Any:
    """What ``module:name`` names in this package."""
    return pkgutil.resolve_name(f"switchrank.{name}")


def examples_of(path: str, entry: Command | Group) -> list[str]:
    """Calls of a command as they are typed, some with comments; of a group also the first of each of its commands."""
    below = entry.commands if isinstance(entry, Group) else {}
    found = []
    for block in EXAMPLES.read_text(encoding="utf-8").strip().split("\n\n"):
        call = block[block.index("switchrank ") :] + " "
        _, here, rest = call.partition(f"{path} ")
        if here and rest.split(" ")[0] not in below:
            found.append(block)
    return found + [call for name, inner in below.items() for call in examples_of(f"{path} {name}", inner)[:1]]


def _whole_numbers(hint: Any, tokens: Sequence[Token]) -> int | list[int]:
    numbers = [int(token.value) for token in tokens]
    return numbers if hint == list[int] else numbers[0]


def _app(name: str, entry: Command | Group, sort_key: int | None = None) -> App:
    from cyclopts import App, Parameter

    said = entry.summary
    if isinstance(entry, Command) and not (said or isinstance(entry.run, str)):
        said = str(entry.run.__doc__).partition("\n")[0]
    title, flags = f"{said[:1].upper()}{said[1:].rstrip('.')}.", Parameter(negative=())
    app = App(name, title, help_format="plaintext", version_flags=(), default_parameter=flags, sort_key=sort_key)
    app["--help"].show = False
    return app


def _print_help(app: App, about: str, examples: Sequence[str]) -> None:
    from rich.console import Console

    width = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 100
    app.help_print([], console=Console(width=width, file=sys.stdout))
    if about:
        print(f"{about.strip()}\n")
    if examples:
        print("Examples:", *(f"  {line}" for call in examples for line in call.splitlines()), sep="\n")
