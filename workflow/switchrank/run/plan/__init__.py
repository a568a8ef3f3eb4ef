"""``switchrank plan``: the jobs of a config and what they will cost, before anything runs."""
