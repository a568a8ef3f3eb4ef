"""CIRAL (Adeyemi et al. 2024): English and native questions on passages in four African languages."""

READ_AS = "miracl"
