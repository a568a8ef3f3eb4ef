"""MTEB: our encoders and rankers on its tasks, and our test sets as tasks of it (extra ``switchrank[mteb]``)."""
