"""Reads CIRAL, whose files are written as those of MIRACL."""

from __future__ import annotations

from switchrank.collections.miracl import reader

ROWS, read_collection, check_roles = reader.ROWS, reader.read_collection, reader.check_roles
