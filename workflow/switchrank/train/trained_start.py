"""A start that was trained, as a folder: the model with its tokenizer, what was done to it, and its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank import __version__
from switchrank.core.json_files import write_json
from switchrank.models.folder import START_RECORD
from switchrank.models.origin import front_matter, origin_of, start_record
from switchrank.train.origin import describe_licence, describe_start

if TYPE_CHECKING:
    from switchrank.models.pretrained import Model

_CARD = """---
library_name: transformers
{metadata}tags:
- switchrank
---

# {name}

An encoder to train rankers from: {start}. Trained with switchrank {version} for {steps} steps of {batch_size} {units}
(learning rate {lr:g}, {precision}, seed {seed}) {goal}
{result}
{licence}`train.json` records parameters, inputs, versions, loss and {judged}.
"""


@dataclass(frozen=True)
class Told:
    """What a card says of a training, in words that follow ``for 500 steps of 64``.

    Attributes:
        units: ``texts``.
        goal: what the model learned to do, a sentence that begins with ``to``.
        result: how well it does so, a sentence.
        judged: what ``train.json`` tells of that.
    """

    units: str
    goal: str
    result: str
    judged: str


def earlier_start(folder: Path) -> dict[str, Any]:
    """What is known of the model that a training starts from."""
    return start_record(folder) or origin_of(folder)


def kept_scores(record: Mapping[str, Any]) -> dict[str, float]:
    """What the weights that are kept were judged at, of the record of a training."""
    (row,) = (row for row in record["dev"] if row["step"] == record["kept"])
    return {name: value for name, value in row.items() if name != "step"}


def learned(start: Mapping[str, Any], method: str, data: str, **facts: Any) -> dict[str, Any]:
    """The record of a start with one more thing that it has learned, from ``data``, such as ``900 lines of bitext``."""
    steps = [*start.get("learned", []), {"method": method, "data": data, **facts}]
    return {**start, "trained": True, "learned": steps}


def write_start(
    model: Model, folder: Path, source: Path, start: Mapping[str, Any], record: Mapping[str, Any], told: Told
) -> None:
    """Write a model that was made from that of ``source``, ``start.json`` and a card.

    A head for masked pieces that lies beside the model of ``source`` does not go with other weights: it is left there.

    Args:
        start: what is known of the model, for ``start.json``.
        record: that of ``train.json``.
    """
    from switchrank.models.writing import save_model

    save_model(model, folder, source)
    write_json(folder / START_RECORD, {key: value for key, value in start.items() if key != "masked_head"})
    params = record["params"]
    card = _CARD.format(
        name=record.get("name", "switchrank encoder"),
        version=__version__,
        **{key: params[key] for key in ("steps", "batch_size", "lr", "precision")},
        seed=record["seed"],
        start=describe_start(start),
        metadata=front_matter(start),
        licence=describe_licence(start),
        **vars(told),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
