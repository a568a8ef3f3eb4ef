"""Which benchmarks there are, and the function behind each: it takes a scale and returns rows."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tests.benchmarks.row import Row

SCALES = ("small", "large", "gpu")
_SMALL = {
    "lexicon-nn": "lexicon:nearest",
    "lexicon-csls": "lexicon:csls",
    "lexicon-approximate": "lexicon:approximate",
    "lexicon-bitext": "aligned:aligned",
    "switch": "switch:switch",
    "switch-from-text": "switch:from_text",
    "train": "train:train",
    "rank": "rank:rank",
    "exact-search": "exact:exact",
    "encode": "encode:encode",
    "contrastive": "contrastive:contrastive",
    "pretrain": "pretrain:pretrain",
    "evaluate": "evaluate:evaluate",
    "dump-langlinks": "dumps:langlinks",
    "dag": "dag:dag",
    "demo": "demo:demo",
}
_LARGE = {"passages": "passages:passages", "switch-on-the-fly": "onthefly:on_the_fly"}
"""Parts that tell something only at full size."""
_ONE_SIZE = ("dag", "demo")
"""Parts that a larger scale would not change."""
PARTS: dict[str, dict[str, str]] = {
    "small": _SMALL,
    "large": {name: where for name, where in _SMALL.items() if name not in _ONE_SIZE} | _LARGE,
    "gpu": {
        "train-gpu": "train:on_gpu",
        "rank-gpu": "rank:on_gpu",
        "encode-gpu": "encode:on_gpu",
        "contrastive-gpu": "contrastive:on_gpu",
        "lexicon-gpu": "lexicon:on_gpu",
    },
}
"""By scale: ``small`` fits 35 minutes on two cores, ``large`` is full size, ``gpu`` needs CUDA."""


def part(scale: str, name: str) -> Callable[[str], list[Row]]:
    """The function of a benchmark."""
    module, _, function = PARTS[scale][name].partition(":")
    work: Callable[[str], list[Row]] = getattr(import_module(f"tests.benchmarks.{module}"), function)
    return work
