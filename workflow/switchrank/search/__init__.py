"""Searching: the nearest neighbours of vectors."""
