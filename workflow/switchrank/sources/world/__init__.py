"""The made-up world: English and four invented languages, generated from a seed in the formats real data has."""
