"""What a parallel text becomes: its files, and why lines are in none of them."""

from typing import Literal, get_args

Drop = Literal["equal", "script", "ratio"]
"""Lines left out on demand: both sides are equal; most letters of a side are of other scripts than its language's; a
side is much longer than the other."""
DROPS: tuple[Drop, ...] = get_args(Drop)
REASONS = ("empty", *DROPS, "repeated", "like_held_out")
"""Why a line is in no part. Those with an empty side, and those that repeat an earlier line, never are."""
PARTS = {"train": "train.parquet", "held_out": "held-out.parquet"}
STATISTICS = "stats.json"


def bitext_outputs(held_out: float) -> list[str]:
    """The files in the folder of a parallel text."""
    return [*(name for part, name in PARTS.items() if part == "train" or held_out), STATISTICS]
