"""Questions over paragraphs, as in SQuAD: XQuAD, XQuAD-R and LAReQA, MLQA, MLQA-R, TQuAD, ARCD, CMRC 2018, ..."""
