"""BEIR (arXiv 2104.08663): a folder of corpus.jsonl, queries.jsonl and qrels."""
