"""AfriQA (arXiv 2305.06897): questions in African languages, passages in English or French."""
