"""Questions with answers and no passages: NQ-Open, MKQA, the questions of AfriQA."""
