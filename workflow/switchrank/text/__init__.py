"""Text: what a word is: Unicode, segmenters, wikitext."""
