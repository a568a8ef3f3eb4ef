"""Ways to learn, a module each: ``cross-encoder`` is ``cross_encoder.py``, and its ``METHOD`` the class."""
