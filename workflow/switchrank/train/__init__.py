"""Train: tokenizer and starting checkpoint of a run, and the cross-encoder training itself."""
