"""The evaluate room: TREC runs become per-query scores, tables of metrics, and significance against a baseline."""
