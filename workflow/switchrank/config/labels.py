"""Where the labelled queries of the ablation come from, and what the models that its rows start from have learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from switchrank.ablation.rows import NO_SYSTEM, Row
from switchrank.collections.joined.section import Joined
from switchrank.config.models import Config
from switchrank.config.nodes import learned_by
from switchrank.core.errors import UserError, raise_all

if TYPE_CHECKING:
    from switchrank.config.plan import Plan


class Trained(NamedTuple):
    """The training split of a collection in one language, which some starting model has learned.

    ``shared_ids``: labelled queries come from the same collection. ``whole``: it was trained on as it is, not as a part
    of a joined one, so its training pairs are its own.
    """

    collection: str
    language: str
    shared_ids: bool
    whole: bool


def labelled_collection(config: Config, language: str) -> str:
    """The collection that labelled queries of a language come from."""
    assert config.ablation is not None
    given = config.ablation.collection
    return given[language] if isinstance(given, dict) else given


def labelled_split(config: Config, language: str) -> str:
    """The split they are drawn from: what is set aside for it, else the training split of a collection for it alone."""
    return "labels" if config.collections[labelled_collection(config, language)].labels else "train"


def trained_collections(config: Config, rows: Sequence[Row]) -> dict[str, str]:
    """The collections that starting models are trained on, joined ones by their parts, each with one who is."""
    starts = dict.fromkeys(None if row.start == NO_SYSTEM else row.start for row in rows)
    learned = [part for start in starts for part in learned_by(config, start)]
    found: dict[str, str] = {}
    for name, corpus in sorted(learned, key=lambda one: one[0] not in config.systems):  # systems first, then starts
        collection = config.corpora[corpus].collection
        section = config.collections[collection]
        for part in section.of if isinstance(section, Joined) else [collection]:
            found.setdefault(part, name)
    return found


def trained_tables(config: Config, rows: Sequence[Row], language: str) -> list[Trained]:
    """The training tables that labelled queries of a language are compared with.

    In the language a collection is trained on, and in their own where it has training text in it.
    """
    source, own = config.languages.source, labelled_collection(config, language)
    directly = {corpus.collection for corpus in config.corpora.values()}
    return [
        Trained(name, side, shared_ids=name == own, whole=name in directly)
        for name in trained_collections(config, rows)
        for side in config.collections[name].questions(source, "train")
        if side in (config.collections[name].training_language(source), language)
    ]


def check_rows(plan: Plan, path: str | Path, rows: Sequence[Row]) -> None:
    """Hold each row against the config.

    Raises:
        UserError: no test pair, start, seed or labelled query for a row; labels that its start has been trained on.
    """
    trained = trained_collections(plan.config, rows)
    mistakes = []
    for row in rows:
        try:
            _check_row(plan, path, row, trained)
        except UserError as error:
            mistakes.append(error)
    raise_all(mistakes)


def _check_row(plan: Plan, path: str | Path, row: Row, trained: dict[str, str]) -> None:
    _check_tested(plan, path, row)
    if not plan.start_of(row):
        todo = "name a start with one model for all pairs, or a pair with own_model yes"
        raise UserError(path, f"row {row.id}", f"{row.start} has no model for {row.language}", todo)
    if row.start not in (NO_SYSTEM, *plan.finished) and row.seed not in plan.config.seeds:
        raise UserError(path, f"row {row.id}", f"no model of {row.start} with seed {row.seed}", "add it to seeds")
    if row.examples:
        _check_labels(plan.config, path, row, trained)


def _check_tested(plan: Plan, path: str | Path, row: Row) -> None:
    assert plan.config.ablation is not None
    testset = plan.config.ablation.testset
    if not plan.tested_pairs(row):
        todo = f"add {row.language}-{row.language} to the pairs of {testset}"
        raise UserError(path, f"row {row.id}", f"no test pair of {row.language}", todo)
    collection = plan.config.collections[plan.config.testsets[testset].collection]
    if row.language not in collection.asked_in or row.language not in collection.languages:
        problem = f"{testset} has no queries or no documents in {row.language}"
        raise UserError(path, f"row {row.id}", problem, "name a language that is on both sides")


def _check_labels(config: Config, path: str | Path, row: Row, trained: dict[str, str]) -> None:
    """There is a collection, no start is trained on its labelled queries, and holding some out leaves some."""
    assert config.ablation is not None
    given = config.ablation.collection
    if isinstance(given, dict) and row.language not in given:
        todo = f"add {row.language} to ablation.collection"
        raise UserError(path, f"row {row.id}", f"no collection with labelled queries in {row.language}", todo)
    name = labelled_collection(config, row.language)
    if name in trained and labelled_split(config, row.language) == "train":
        problem = f"{trained[name]} is trained on {name}, which its labelled queries come from"
        todo = f"set labels: 0.05 in collections.{name}, a share that nobody is trained on, or name another collection"
        raise UserError(path, f"row {row.id}", problem, todo)
    share = config.ablation.held_out
    if share and not 0 < int(row.examples * share) < row.examples:
        problem = f"{share:g} of {row.examples} labelled queries leaves none to judge by"
        raise UserError(path, f"row {row.id}", problem, "raise ablation.held_out or examples")
