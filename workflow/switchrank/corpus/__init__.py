"""Training instances, the token tables of their texts, and their code-switched versions."""
