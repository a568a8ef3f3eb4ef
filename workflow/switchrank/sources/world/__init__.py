"""The made-up world: English and invented languages, generated from a seed in the formats real data has."""
