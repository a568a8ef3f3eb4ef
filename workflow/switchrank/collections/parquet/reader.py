"""Reads tables in Parquet and datasets by the names of their columns, as tables of text are read."""

from __future__ import annotations

from switchrank.collections.tsv import reader

ROWS, read_collection, check_roles = reader.ROWS, reader.read_collection, reader.check_roles
