"""BiPaR (arXiv 1910.05040): questions over paragraphs of novels in English and Chinese."""
