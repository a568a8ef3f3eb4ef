"""Queries with their passages as plain text: no ids, no file of documents."""
