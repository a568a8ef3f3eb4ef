"""``switchrank lexicon``: make a lexicon from vectors, titles, parallel text, dictionaries or others; measure it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.command import Command, Group, columns_of
from switchrank.core.errors import UserError


@dataclass(frozen=True)
class Files:
    """Where titles are read from.

    Attributes:
        files: the files; cldr: source, target, source, target, ...
        page: dumps: page.sql.gz of the source language's Wikipedia.
        langlinks: dumps: langlinks.sql.gz of the same dump.
    """

    files: Sequence[str] = ()
    page: str = ""
    langlinks: str = ""


@dataclass(frozen=True)
class Columns:
    """What dumps may not say themselves.

    Attributes:
        page_columns: dumps without CREATE TABLE: all columns of the page table.
        langlinks_columns: the same of the other table.
    """

    page_columns: Sequence[str] = ()
    langlinks_columns: Sequence[str] = ()


def _files(given: Files) -> list[str]:
    found = [*given.files] or [file for file in (given.page, given.langlinks) if file]
    if not found:
        raise UserError("command line", "--files", "missing", "name the files, or --page and --langlinks")
    return found


def _columns_of_dumps(given: Columns) -> dict[str, list[str]]:
    columns = {"page": given.page_columns, "langlinks": given.langlinks_columns}
    return {table: list(names) for table, names in columns.items() if names}


def quality(*, lexicon: str, gold: Sequence[str], src: str, tgt: str, out: str | Path, name: str = "lexicon") -> None:
    """Precision and coverage against gold dictionaries.

    Args:
        lexicon: lexicon (.parquet).
        gold: dictionaries: `source target` a line (.gz, .xz too).
        src: source language.
        tgt: target language.
        out: table to write (.csv).
        name: its name in the table.
    """
    from switchrank.lexicon.quality import lexicon_quality

    lexicon_quality(
        lexicons=[{"lexicon": name, "src": src, "tgt": tgt, "path": lexicon}],
        gold=[{"name": path, "src": src, "tgt": tgt, "path": path} for path in gold],
        out=out,
    )


def _print_counts(counts: Mapping[str, int]) -> None:
    print("{words:,} words, {rows:,} translations".format(**counts))


_STORES = {"source": "PREFIX", "target": "PREFIX"}

COMMANDS = Group(
    {
        "induce": Command("lexicon.induce:induce_lexicon", "nearest target words of every source word", forms=_STORES),
        "titles": Command(
            "lexicon.titles:titles_lexicon",
            "titles linked across languages: Wikipedia, Wikidata, CLDR",
            reads={"files": _files, "columns": _columns_of_dumps},
        ),
        "dictionary": Command(
            "lexicon.dictionary:dictionary_lexicon",
            "a given dictionary as a lexicon",
            counts={"columns": (2, 2)},
            reads={"columns": columns_of},
            forms={"columns": "COLUMN COLUMN"},
        ),
        "bitext": Command(
            "lexicon.aligned:induce_from_bitext",
            "words that are aligned in parallel text (IBM model 1)",
            forms={"source": "LANG", "target": "LANG", "source_vocabulary": "WORDS", "target_vocabulary": "WORDS"},
            shown=_print_counts,
        ),
        "merge": Command(
            "lexicon.derived:merge_lexicons",
            "several lexicons as one, the most trusted first",
            shown=_print_counts,
        ),
        "degrade": Command(
            "lexicon.derived:degrade_lexicon", "wrong translations for a share of the words, on purpose"
        ),
        "quality": Command(quality),
    }
)
