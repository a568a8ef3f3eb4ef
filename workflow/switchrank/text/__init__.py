"""Text: what a word is: Unicode, segmenters, stop words, wikitext."""
