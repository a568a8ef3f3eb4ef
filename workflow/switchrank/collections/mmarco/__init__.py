"""mMARCO (arXiv 2108.13897): MS MARCO in translation, in the folder that its makers published."""

READ_AS = "msmarco"
