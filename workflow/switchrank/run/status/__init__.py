"""``switchrank status``: how a run is going, told from its files alone."""
