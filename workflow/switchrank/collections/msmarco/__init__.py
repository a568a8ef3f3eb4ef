"""MS MARCO passage ranking (arXiv 1611.09268), and files of one's own that are written as its files are."""
