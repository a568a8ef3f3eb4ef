"""Tevatron: queries as JSON lines, each with passages that answer it and passages that do not."""
