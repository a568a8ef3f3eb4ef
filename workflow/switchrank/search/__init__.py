"""Searching: BM25, the nearest neighbours of vectors, and whole collections of them."""
