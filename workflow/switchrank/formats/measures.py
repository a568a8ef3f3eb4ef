"""Names of measures, for the config, the command line and the tables."""

from typing import Literal

Metric = Literal["mrr@10", "ndcg@10", "map", "recall@1", "recall@10", "recall@100"]
"""What runs are scored by; ``map`` is average precision over all that a run holds."""
BiasMeasure = Literal["rank_distance", "max_rank", "own_language", "rankc", "rank_correlation"]
"""What is measured of language bias, as :mod:`switchrank.evaluate.bias` defines it; ``own_language`` is two numbers."""
USUAL_BIAS: tuple[BiasMeasure, ...] = ("rank_distance", "own_language", "rankc")
"""What is measured of it unless something else is asked for."""
Averaged = Literal["mrr@10", "ndcg@10", "map", "recall@1", "recall@10", "recall@100", "rank_distance", "max_rank"]
"""What has a value for each query of a run, to be averaged over language pairs and compared between systems."""
FALLING = frozenset({"rank_distance", "max_rank"})
"""Ranks, of which less is better."""
