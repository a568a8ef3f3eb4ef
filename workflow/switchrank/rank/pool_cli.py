"""``switchrank rank pool``: make the mixed sides of a multilingual test set."""

from __future__ import annotations

import argparse

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes

_EXAMPLES = """\
examples:
  # each document in one language drawn for it; queries have a purpose, and so draws, of their own
  switchrank rank pool draw --texts en=en/documents.parquet de=de/documents.parquet --purpose documents --seed 1 \\
      --out documents.parquet --draw-out documents.draw.parquet
  switchrank rank pool judgements --judgements en/judgements.parquet --draw documents.draw.parquet \\
      --out judgements.parquet

  # every document in every language: d1 becomes en:d1 and de:d1
  switchrank rank pool join --documents en=en/documents.parquet de=de/documents.parquet \\
      --judgements en=en/judgements.parquet de=de/judgements.parquet \\
      --out documents.parquet --judgements-out judgements.parquet --draw-out documents.draw.parquet
"""

Commands = argparse._SubParsersAction  # generic in the type checker's eyes only


def register_pool(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add ``pool`` with its subcommands ``draw``, ``join``, ``judgements``."""
    about = "make a mixed pool of documents or queries in several languages"
    parser = commands.add_parser(
        "pool",
        help=about,
        description=about.capitalize() + ".",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="pool_command", metavar="{draw,join,judgements}", required=True)
    _register_draw(kinds)
    _register_join(kinds)
    _register_judgements(kinds)


def _register_draw(kinds: Commands[argparse.ArgumentParser]) -> None:
    about = "give every id the text of one language, drawn uniformly from those that have it"
    command = kinds.add_parser(
        "draw", help=about, description=about.capitalize() + "; print how many each language got."
    )
    command.add_argument(
        "--texts", nargs="+", required=True, metavar="LANG=TABLE", help="DOCUMENTS or QUERIES of each language"
    )
    command.add_argument("--seed", type=int, default=1, help="seed of the draw (default: %(default)s)")
    command.add_argument("--purpose", required=True, help="what is drawn; other purposes have draws of their own")
    command.add_argument("--out", required=True, help="the pool to write (.parquet), in the order of the first table")
    command.add_argument("--draw-out", required=True, help="DRAW to write: the language of each id")
    writes(command, "out", "draw_out")
    command.set_defaults(run=_draw)


def _register_join(kinds: Commands[argparse.ArgumentParser]) -> None:
    about = "put every document in every language into one pool, LANG:ID its new id"
    command = kinds.add_parser("join", help=about, description=about[0].upper() + about[1:] + ".")
    for name in ("documents", "judgements", "candidates"):
        command.add_argument(
            f"--{name}",
            nargs="+",
            required=name != "candidates",
            metavar="LANG=TABLE",
            help=f"{name.upper()} of each language",
        )
    command.add_argument("--out", required=True, help="DOCUMENTS of the pool")
    command.add_argument("--judgements-out", required=True, help="JUDGEMENTS of the pool: relevant in any language")
    command.add_argument("--candidates-out", help="CANDIDATES of the pool: the lists of all languages merged by rank")
    command.add_argument("--draw-out", required=True, help="DRAW to write: the language of each new id")
    writes(command, "out", "judgements_out", "candidates_out", "draw_out")
    command.set_defaults(run=_join)


def _register_judgements(kinds: Commands[argparse.ArgumentParser]) -> None:
    about = "the judgements of a drawn pool: those of the source language whose document is in it"
    command = kinds.add_parser("judgements", help=about, description=about.capitalize() + ".")
    command.add_argument("--judgements", required=True, help="JUDGEMENTS of the source language")
    command.add_argument("--draw", required=True, help="DRAW of the pool's documents")
    command.add_argument("--out", required=True, help="JUDGEMENTS of the pool")
    writes(command, "out")
    command.set_defaults(run=_judgements)


def _tables(words: list[str], flag: str) -> dict[str, str]:
    tables: dict[str, str] = {}
    for word in words:
        language, equals, path = word.partition("=")
        if not (language and equals and path) or language in tables:
            raise UserError("switchrank rank pool", flag, f"'{word}'", "write LANG=TABLE, each language once")
        tables[language] = path
    return tables


def _draw(given: argparse.Namespace) -> None:
    from switchrank.rank.pools import draw_pool

    counts = draw_pool(
        texts=_tables(given.texts, "--texts"),
        seed=given.seed,
        purpose=given.purpose,
        out=given.out,
        draw_out=given.draw_out,
    )
    for language, count in counts.items():
        print(f"{language}\t{count}")


def _join(given: argparse.Namespace) -> None:
    from switchrank.rank.pools import join_pool

    join_pool(
        documents=_tables(given.documents, "--documents"),
        judgements=_tables(given.judgements, "--judgements"),
        candidates=_tables(given.candidates, "--candidates") if given.candidates else None,
        out=given.out,
        judgements_out=given.judgements_out,
        candidates_out=given.candidates_out,
        draw_out=given.draw_out,
    )


def _judgements(given: argparse.Namespace) -> None:
    from switchrank.rank.pools import pool_judgements

    pool_judgements(judgements=given.judgements, draw=given.draw, out=given.out)
