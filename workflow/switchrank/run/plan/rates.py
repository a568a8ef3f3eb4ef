"""The constants of what jobs cost: rates, times, bytes.

They were fitted once to the benchmark files of the shipped configs on a machine with 100 GFLOP/s a core. They are rough
on purpose: earlier runs on the user's own machine correct them (:mod:`switchrank.run.plan.estimate`).
"""

MB = 1e6
REFERENCE = 100.0
"""GFLOP/s of the core that seconds below were measured on."""
SHARE_OF_PEAK, SHARE_OF_GPU = 0.36, 0.3
"""What training and ranking get of the rate of matrix products, on a CPU and on a GPU."""
FASTER: dict[str, dict[int, float]] = {
    "train": {64: 1.4, 128: 1.6, 384: 1.7},
    "rank": {64: 1.1, 128: 1.2, 256: 1.5, 384: 1.6},
}
"""How many times as fast a CPU with units for bf16 is in bf16 as in fp32, from a width of the model on: measured with
AVX-512 bf16 (docs/benchmarks.md, "Training and ranking"), taken for AMX too. A GPU's rate is that of the run's
precision."""
TORCH, RANX, POLARS = 500 * MB, 360 * MB, 120 * MB
"""Memory of a process that has imported these."""
SMALL_JOB = 0.4
"""Seconds of a job that does next to nothing: a Python process with the library."""
TORCH_JOB = 5.5
"""The same with torch and transformers."""
IN_MEMORY = 42
"""Bytes that training holds for a pair that it switches on the fly: what it is made of, and its place in two passes."""
SHARE_OF_SEARCH, SINGLE = 0.85, 6.0
"""Searches for neighbours: what they get of the rate of matrix products, and how many times as much an inner product
costs that is computed by itself, as in a cell or a graph."""
VISITED, COMPARED = 2.4, 4.0
"""Approximate searches: how many times an average cell's words a visited cell has, since large ones are visited more;
and how many words are compared for each link of each candidate that is kept in a graph."""
TOKENS_OF_WORD = 3.5
"""Pieces of a word that is encoded by itself, special tokens included."""
REFINED = 15_000
"""Most frequent words that refine an alignment."""
SEARCH = 35e-9
"""Seconds that BM25 takes for a query and a document."""
ROLES = {"triples": "triples", "quer": "test", "qrels": "test", ".vec": "vectors", "run": "run"}
"""What a download is by a part of its name, else documents."""
