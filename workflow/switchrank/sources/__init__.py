"""Sources: collections of any format become the same tables; no later stage knows where a text came from."""
