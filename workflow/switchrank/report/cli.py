"""``switchrank report``: pictures, tables and switched sentences from finished tables, without Snakemake."""

from collections.abc import Callable, Sequence
from typing import Any

from switchrank.core.command import ANY_NUMBER, ONE_EACH, Command, Group
from switchrank.core.errors import UserError


def _named_files(flag: str, key: str) -> Callable[[Sequence[str]], list[dict[str, Any]]]:
    """A reader of files by name; unlike in a mapping, one name may have several."""

    def read(words: Sequence[str]) -> list[dict[str, Any]]:
        for word in words:
            if not all(word.partition("=")):
                raise UserError("command line", flag, f"'{word}'", "write NAME=PATH")
        return [{key: word.partition("=")[0], "path": word.partition("=")[2]} for word in words]

    return read


_LISTS = dict.fromkeys(("seen", "unseen", "systems"), ANY_NUMBER)


def _picture(function: str, summary: str, unasked: Sequence[str] = (), **more: Any) -> Command:
    """The command that draws a picture."""
    counts = _LISTS | more.pop("counts", {})
    hidden = ["mixed", *unasked]
    return Command(f"report.{function}", summary, writes=("out", "table"), counts=counts, unasked=hidden, **more)


_PICTURES = {
    "mrr": _picture(
        "mrr:mrr_picture",
        "a metric per pair and system with confidence intervals",
        unasked=["leave_out", "systems"],
    ),
    "gain": _picture(
        "gain:gain_heatmap", "gain over the baseline, query by document language", unasked=["systems", "table"]
    ),
    "matrix": _picture("matrix:matrix_picture", "a metric by query and document language, a matrix for each system"),
    "lexicon": _picture("lexicon:lexicon_picture", "P@1, P@5 and coverage of the lexicons"),
    "loss": _picture(
        "loss:loss_picture",
        "training loss and development score by step",
        flags={"runs": "model"},
        counts={"runs": ONE_EACH},
        forms={"runs": "SYSTEM=PATH"},
        reads={"runs": _named_files("--model", "system")},
    ),
    "ablation": _picture("ablation:ablation_picture", "a metric by number of labelled target-language queries"),
    "sweep": _picture("sweep:sweep_picture", "a metric against one setting, and against what it measurably did"),
    "overlap": _picture("overlap:overlap_picture", "a metric by word overlap of query and relevant passage"),
    "shift": _picture("shift:shift_picture", "score drop of relevant passages in another language"),
    "bias": _picture("bias:bias_picture", "preference for the query's own language, ranks by language, agreement"),
}

COMMANDS = Group(
    {
        "pictures": Group(_PICTURES, f"SVG pictures: {', '.join(_PICTURES)}"),
        "table": Command(
            "report.tables:write_table_page",
            "a table as sortable, searchable HTML, or as TSV",
            counts=_LISTS | {"where": ONE_EACH},
            forms={"where": "COLUMN=VALUE"},
        ),
        "sentences": Command(
            "report.sentences:switched_sentences",
            "switched sentences in colour",
            flags={"corpora": "corpus", "lexicons": "lexicon"},
            forms={"corpora": "NAME=PATH"},
            reads={"corpora": _named_files("--corpus", "corpus")},
            counts={"corpora": ONE_EACH, "lexicons": ONE_EACH, "rtl": ANY_NUMBER},
            unasked=["words", "first"],
        ),
    }
)
