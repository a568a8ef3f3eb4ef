"""Serve: search for people: an index of documents, what an encoder and a ranker find in it, a page in the browser."""
