"""Code-switching of texts by lexicons: what corpora and pretraining share."""
