"""The shapes of the small encoders that a ranker can start from, as BERT config values; nothing heavy is imported."""

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 1, "intermediate_size": 128},
    "small": {"num_hidden_layers": 2, "hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 512},
}
"""Wide heads: a head compares tokens by what its slice of the embedding says. Two layers are the least that can match:
the first compares tokens, the second collects what was found."""
