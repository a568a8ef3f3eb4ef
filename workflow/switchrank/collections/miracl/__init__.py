"""MIRACL (Zhang et al. 2023): Wikipedia passages and questions in 18 languages, a language at a time."""
