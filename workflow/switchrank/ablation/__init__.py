"""The ablation room: how many labelled queries of the target language each starting model needs."""
