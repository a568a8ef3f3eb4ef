"""Benchmarks: each part of switchrank beside its peers, on the same generated inputs, in one run on one machine.

``python -m tests.benchmarks --help`` tells how to run them; ``make bench`` installs the peers first. A benchmark checks
that both sides give equal results before it times them. Timings are figures in a table, never assertions.
"""
