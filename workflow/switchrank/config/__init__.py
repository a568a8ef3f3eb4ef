"""Configuration: typed models (the one source of every key), loading with one-line errors, and the plan of names."""
