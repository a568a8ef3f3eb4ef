"""MLDR (arXiv 2402.03216): questions on long documents in 13 languages, a language at a time."""

READ_AS = "tevatron"
