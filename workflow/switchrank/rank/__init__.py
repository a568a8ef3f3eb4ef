"""The rank room: candidates per query, cross-encoder scores for them, and reference rankings, as TREC runs."""
