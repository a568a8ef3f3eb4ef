"""TREC: tagged documents and topics, and qrels."""
