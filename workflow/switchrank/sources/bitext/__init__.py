"""Bitext: parallel text of any layout becomes tables of lines that translate each other, cleaned and counted."""
