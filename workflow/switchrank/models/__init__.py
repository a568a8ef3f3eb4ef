"""Models: opened, tokenised, run forward without padding, saved."""
