"""Bilingual lexicons: induced from aligned vectors or read off Wikipedia titles, and their quality."""
