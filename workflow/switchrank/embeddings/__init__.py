"""Word embeddings: read or train monolingual vectors, then map them into the space of the source language."""
