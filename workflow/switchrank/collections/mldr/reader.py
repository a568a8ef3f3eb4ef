"""Reads MLDR, whose files are written as Tevatron's, with a corpus beside them."""

from __future__ import annotations

from switchrank.collections.tevatron import reader

ROWS, read_collection, check_roles = reader.ROWS, reader.read_collection, reader.check_roles
