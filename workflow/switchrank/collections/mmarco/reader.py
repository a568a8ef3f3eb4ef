"""Reads mMARCO, whose files are written as those of MS MARCO."""

from __future__ import annotations

from switchrank.collections.msmarco import reader

ROWS, read_collection, check_roles = reader.ROWS, reader.read_collection, reader.check_roles
