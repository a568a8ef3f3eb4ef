"""What a job costs, from how much it has to do: tokens, floating point operations, seconds, memory, disk.

The constants were fitted once to the benchmark files of the shipped configs on a machine with 100 GFLOP/s a core. They
are rough on purpose: earlier runs on the user's own machine correct them (:mod:`switchrank.run.plan.calibration`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from switchrank.config.models import VectorsLexicon
from switchrank.config.plan import Plan
from switchrank.config.sections import MIXED
from switchrank.corpus.files import SAMPLED
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.shape import shape_of
from switchrank.run.plan.sizes import Sizes, Texts
from switchrank.run.plan.work import Work, optimiser_steps, settings_of
from switchrank.search.choices import SEARCHED

MB = 1e6
REFERENCE = 100.0
"""GFLOP/s of the core that seconds below were measured on."""
SHARE_OF_PEAK, SHARE_OF_GPU = 0.36, 0.3
"""What training and ranking get of the rate of matrix products, on a CPU and on a GPU."""
TORCH, RANX, POLARS = 500 * MB, 360 * MB, 120 * MB
"""Memory of a process that has imported these."""
SMALL_JOB = 0.4
"""Seconds of a job that does next to nothing: a Python process with the library."""
TORCH_JOB = 5.5
"""The same with torch and transformers."""
IN_MEMORY = 42
"""Bytes that training holds for a pair that it switches on the fly: what it is made of, and its place in two passes."""
SHARE_OF_SEARCH, SINGLE = 0.85, 6.0
"""Searches for neighbours: what they get of the rate of matrix products, and what an inner product costs that is not
part of a product of matrices, as in a cell or a graph, beside one that is."""
VISITED, COMPARED = 2.4, 4.0
"""Approximate searches: how many times an average cell's words a visited cell has, since large ones are visited more;
and how many words are compared for each link of each candidate that is kept in a graph."""
REFINED = 15_000
"""Most frequent words that refine an alignment."""
SEARCH = 35e-9
"""Seconds that BM25 takes for a query and a document."""
_ROLES = {"triples": "triples", "quer": "test", "qrels": "test", ".vec": "vectors", "run": "run"}
"""What a download is by a part of its name, else documents."""


@dataclass(frozen=True)
class Cost:
    """What a job costs.

    Attributes:
        seconds: wall time, alone on the machine.
        memory: bytes at its peak.
        disk: bytes of its outputs.
        scratch: bytes beside them that are gone when it ends.
        tokens: what goes through a model.
        flops: floating point operations; a training step counts three times a forward pass.
    """

    seconds: float = SMALL_JOB
    memory: float = POLARS
    disk: float = 20e3
    scratch: float = 0.0
    tokens: float = 0.0
    flops: float = 0.0


class Costs:
    """The cost of each job of a run on a machine."""

    def __init__(self, plan: Plan, sizes: Sizes, machine: Machine) -> None:
        self.plan, self.config, self.sizes, self.machine = plan, plan.config, sizes, machine
        self.work, self.shape = Work(plan, sizes), shape_of(plan.config.start)
        self._slow = REFERENCE / machine.gflops
        self._kinds: dict[str, Callable[[Job], Cost]] = {
            "world": self._world,
            "fetch": self._fetch,
            "wikitext": self._wikitext,
            "collection": self._collection,
            "train_vectors": self._train_vectors,
            "import_vectors": self._import_vectors,
            "keep_vectors": self._store,
            "align_vectors": self._align,
            "vectors_lexicon": self._vectors_lexicon,
            "titles_lexicon": self._titles_lexicon,
            "instances": self._instances,
            "tokens": self._tokens,
            "switch": self._corpus,
            "parallel": self._corpus,
            "on_the_fly": self._on_the_fly,
            "sample": self._sample,
            "translate": self._translate,
            "tokenizer": self._tokenizer,
            "initial_model": self._initial,
            "pretrained_model": self._initial,
            "transplant": self._transplant,
            "train": self._train,
            "candidates": self._candidates,
            "pool": self._pool,
            "random": self._reference,
            "bm25": self._reference,
            "rank": self._rank,
            "score_runs": self._score,
            "tables": self._tables,
            **dict.fromkeys(("bias", "shift"), self._analysis),
            "first_stage": self._first_stage,
            **dict.fromkeys(("overlap", "testsets", "exposure", "coverage"), self._texts_read),
            "labelled_instances": lambda _: self._plain(0.9, 60 * MB),
            "picture": lambda _: self._plain(1.5, 80 * MB, 40e3),
            "report_zip": lambda _: self._plain(6.0, 80 * MB, MB),
        }

    def of(self, job: Job) -> Cost:
        """The cost of a job; of a kind that is not listed, that of a small one."""
        cost = self._kinds.get(job.kind)
        return cost(job) if cost else self._plain(SMALL_JOB, 0)

    def _plain(self, seconds: float, memory: float, disk: float = 20e3) -> Cost:
        """The cost of a job without a model: seconds on the reference machine, memory beside that of Polars."""
        return Cost(seconds=seconds * self._slow, memory=POLARS + memory, disk=disk)

    def _torch(self, seconds: float, memory: float) -> Cost:
        """The cost of a job that opens a model and writes one."""
        return Cost(seconds=seconds * self._slow, memory=TORCH + memory, disk=self._model_bytes)

    # sources and embeddings
    def _world(self, _: Job) -> Cost:
        assert self.config.world is not None
        sentences = self.config.world.sentences * len(self.config.languages.every)
        return self._plain(0.5 + 31e-6 * sentences, 80 * MB, 100.0 * sentences)

    def _fetch(self, job: Job) -> Cost:
        path = job.outputs[0]
        size = self.sizes.on_disk(path, next((role for word, role in _ROLES.items() if word in path), "documents"))
        return Cost(seconds=1 + size / 20e6, disk=size, scratch=size)

    def _wikitext(self, job: Job) -> Cost:
        size = self.sizes.on_disk(job.inputs[0])
        return self._plain(1 + size / 1.5e6, 100 * MB, size / 2)

    def _collection(self, job: Job) -> Cost:
        found = self.sizes.collection(job.about["collection"])
        sizes = [texts.bytes for texts in (*found.documents.values(), *found.queries.values())]
        seconds = SMALL_JOB + sum(sizes) / 15e6 + found.triples / 1e6
        return self._plain(seconds, 1.5 * max(sizes), 0.35 * sum(sizes) + 12 * found.triples)

    def _train_vectors(self, job: Job) -> Cost:
        assert self.config.vectors is not None
        training, lang = self.config.vectors.training, job.about["lang"]
        words = self.sizes.text_bytes(self.plan.plain(self.plan.vector_source(lang).text or [])) / 6
        buckets = 2_000_000 * training.dim * 4 if training.dim > 64 else 64 * MB
        return self._plain(
            1 + words * training.epochs * training.dim / 21e6, buckets + self._matrix(job), self._matrix(job)
        )

    def _matrix(self, job: Job) -> float:
        """Bytes of a language's vectors."""
        words, width = self.sizes.vectors(job.about["lang"])
        return words * (width * 4 + 10)

    def _import_vectors(self, job: Job) -> Cost:
        matrix = self._matrix(job)
        return self._plain(SMALL_JOB + matrix / 20e6, 1.5 * matrix, matrix)

    def _store(self, job: Job) -> Cost:
        matrix = self._matrix(job)
        return self._plain(SMALL_JOB + matrix / 100e6, 2 * matrix, matrix)

    def _align(self, job: Job) -> Cost:
        """Rounds of mutual best pairs among the most frequent words of both languages, then the turned vectors."""
        assert self.config.vectors is not None
        chosen, stored = self.config.vectors.alignment, self._store(job)
        sides = [self.sizes.vectors(lang) for lang in (self.config.languages.source, job.about["lang"])]
        left, right = (min(words, REFINED) for words, _ in sides)
        flops = chosen.refinements * 2 * left * right * sides[0][1] * (SEARCHED[chosen.criterion] + 1)
        return replace(stored, seconds=stored.seconds + 0.5 * self._slow + flops / self._searched(job), flops=flops)

    # lexicon and corpus
    def _vectors_lexicon(self, job: Job) -> Cost:
        section = self.config.lexicons[job.about["lexicon"]]
        assert isinstance(section, VectorsLexicon)
        (first, width), (second, _) = (self.sizes.vectors(lang) for lang in job.about["languages"])
        left, right = min(first, section.max_source or first), min(second, section.max_target or second)
        cores = min(job.threads, self.machine.cores)
        forward, back = _compared(section, left, right, cores), _compared(section, right, left, cores)
        both = (SEARCHED[section.criterion] - 1) / 2
        flops = 2 * width * (forward * (1 + both) + back * (both + section.mutual))
        seconds = 0.5 * self._slow + flops / self._searched(job)
        copies = 8 if section.search == "exact" else 16
        memory = POLARS + copies * (first + second) * width
        return Cost(seconds=seconds, memory=memory, disk=9 * left * section.k, flops=flops)

    def _searched(self, job: Job) -> float:
        """Floating point operations a second of a search for neighbours."""
        return SHARE_OF_SEARCH * 1e9 * self.machine.gflops * min(job.threads, self.machine.cores)

    def _titles_lexicon(self, job: Job) -> Cost:
        size = sum(map(self.sizes.on_disk, job.inputs))
        return self._plain(SMALL_JOB + size / 4e6, min(3 * size, 2e9), min(20 * MB, size / 10))

    def _instances(self, job: Job) -> Cost:
        collection, split = job.about["collection"], job.about["split"]
        rows, documents = self.work.instances(collection, split), self.work.training_documents(collection)
        given = self.sizes.collection(collection).triples
        searched = 0.0 if given else self.work.queries(collection, split).rows * documents.rows
        return self._plain(0.6 + SEARCH * searched + rows / 1e6, 1.5 * documents.bytes + 60 * rows, 8 * rows)

    def _texts(self, job: Job, documents: Texts) -> Texts:
        """The texts that a job about one table reads: documents, or queries of a split."""
        name = job.about["texts"]
        return documents if name == "documents" else self.work.queries(job.about["collection"], name.split("-")[1])

    def _tokens(self, job: Job) -> Cost:
        texts = self._texts(job, self.work.training_documents(job.about["collection"]))
        return self._plain(0.3 + texts.bytes / 3e6, texts.bytes / 2, 0.6 * texts.bytes)

    def _corpus(self, job: Job) -> Cost:
        pairs, section = self.work.corpus(job.about["corpus"]), self.config.corpora[job.about["corpus"]]
        rows = pairs.rows + self.work.instances(section.collection, "dev")
        seconds = 0.7 + rows * (2e-6 if section.parallel else 11e-6)
        cost = self._plain(seconds, self._switching(job, rows), rows * pairs.chars * (0.2 if section.lexicon else 0.08))
        return cost if section.parallel else replace(cost, scratch=self._laid_down(job))

    def _switching(self, job: Job, rows: float) -> float:
        """Memory of what goes through texts pair by pair."""
        collection = self.config.corpora[job.about["corpus"]].collection
        return 60 * MB + 2 * self.work.training_documents(collection).bytes + 500 * min(rows, 1e6)

    def _laid_down(self, job: Job) -> float:
        """Bytes of the nameless file that the pieces of the texts lie in: 4 for each word and each gap."""
        collection = self.config.corpora[job.about["corpus"]].collection
        return 1.4 * self.work.training_documents(collection).bytes

    def _on_the_fly(self, job: Job) -> Cost:
        """All pairs are switched for the statistics; the development pairs are written."""
        pairs, section = self.work.corpus(job.about["corpus"]), self.config.corpora[job.about["corpus"]]
        dev = self.work.instances(section.collection, "dev")
        cost = self._plain(
            1.4 + 9e-6 * (pairs.rows + dev), self._switching(job, pairs.rows), 20e3 + 0.2 * dev * pairs.chars
        )
        return replace(cost, scratch=self._laid_down(job))

    def _sample(self, job: Job) -> Cost:
        pairs = self.work.corpus(job.about["corpus"])
        rows = min(pairs.rows, SAMPLED)
        cost = self._plain(0.7 + 11e-6 * rows, self._switching(job, rows), 0.2 * rows * pairs.chars)
        return replace(cost, scratch=self._laid_down(job))

    def _translate(self, job: Job) -> Cost:
        documents = self.sizes.collection(job.about["collection"]).documents
        texts = self._texts(job, documents.get(job.about["lang"]) or next(iter(documents.values())))
        return self._plain(0.5 + texts.bytes / 2e6, texts.bytes, 0.4 * texts.bytes)

    # train
    @property
    def _model_bytes(self) -> float:
        """A model on disk, its tokenizer included."""
        return 4 * self.shape.parameters + 65.0 * self.shape.vocabulary

    def _tokenizer(self, job: Job) -> Cost:
        size = self.sizes.text_bytes(file for file in job.inputs if not file.endswith(".words.parquet"))
        return self._plain(2 + 0.15e-6 * size, 50 * MB + size, 65.0 * self.shape.vocabulary)

    def _initial(self, _: Job) -> Cost:
        weights = 4 * self.shape.parameters
        return self._torch(TORCH_JOB + weights / 100e6, 2 * weights)

    def _transplant(self, _: Job) -> Cost:
        lexicon = str(self.config.start.transplant)
        rows = self.sizes.lexicon_rows[lexicon] * len(self.plan.lexicon_languages(lexicon))
        return self._torch(TORCH_JOB + rows / 20e3, 4e3 * rows + 8 * self.shape.parameters)

    def _rate(self, job: Job) -> float:
        """Floating point operations a second that a job's model reaches."""
        if job.gpu:
            return self.machine.gpu_tflops * 1e12 * SHARE_OF_GPU * job.gpus
        return self.machine.gflops * 1e9 * min(job.threads, self.machine.cores) * SHARE_OF_PEAK

    def _train(self, job: Job) -> Cost:
        settings, corpus = settings_of(self.config, job), job.about["corpus"]
        pairs = self.work.corpus(corpus) if corpus else self.work.labelled(job)
        length = self.work.tokens(pairs.chars, settings.max_length)
        steps = optimiser_steps(self.config, job)
        tokens, judged = steps * settings.batch_size * length, self.work.judged(job, steps) * length
        flops = 3 * self.shape.forward(tokens, length) + self.shape.forward(judged, length)
        weights = 4 * self.shape.parameters
        moved = steps * 12 * weights / (1e12 if job.gpu else 8e9)
        summed = steps * 2 * weights / (5e10 if job.gpu else 1e9) if job.processes > 1 else 0.0
        micro = min(settings.token_budget, settings.batch_size * length)
        activations = 4 * micro * self.shape.layers * (10 * self.shape.hidden + 2 * self.shape.inner)
        each = TORCH + 4 * weights + (0 if job.gpu else activations)
        cost = Cost(
            seconds=(TORCH_JOB + 0.01 * steps) * self._slow + flops / self._rate(job) + moved + summed,
            memory=(each + 1300 * min(pairs.rows, 2e7)) * job.processes + (TORCH if job.processes > 1 else 0),
            disk=self._model_bytes,
            scratch=9 * weights,
            tokens=tokens + judged,
            flops=flops,
        )
        if not corpus or self.config.corpora[corpus].materialise is True:
            return cost
        held = self._switching(job, 0) + IN_MEMORY * pairs.rows
        return replace(
            cost,
            seconds=cost.seconds + self._slow * (2 + 1e-6 * pairs.rows + 25e-6 * steps * settings.batch_size),
            memory=(each + held) * job.processes + (TORCH if job.processes > 1 else 0),
            scratch=cost.scratch + self._laid_down(job) * job.processes,
        )

    # rank and evaluate
    def _candidates(self, job: Job) -> Cost:
        testset, lang = job.about["testset"], job.about["lang"]
        documents, asked = self.work.documents(testset, lang), self.work.asked(testset)
        kept = asked * self.work.candidates(testset, lang)
        searched = self.config.testsets[testset].candidates.bm25 is not None
        seconds = SEARCH * asked * documents.rows + documents.bytes / 5e6 if searched else documents.rows / 2e6
        return self._plain(0.6 + seconds, 2 * documents.bytes + 150 * kept, 3.5 * kept)

    def _first_stage(self, job: Job) -> Cost:
        testset, source = job.about["testset"], self.config.languages.source
        seconds, largest = 0.6, 0.0
        for pairs in (self.plan.pairs[testset], *self.plan.lexicon_pairs(testset).values()):
            searches = Counter(source if pair.document == MIXED else pair.document for pair in pairs)
            for lang, times in searches.items():
                documents = self.work.documents(testset, lang)
                seconds += SEARCH * self.work.asked(testset) * times * documents.rows + documents.bytes / 5e6
                largest = max(largest, documents.bytes)
        return self._plain(seconds, 2 * largest)

    def _pool(self, job: Job) -> Cost:
        testset = job.about["testset"]
        sizes = [self.work.documents(testset, lang).bytes for lang in self.config.mixed_languages(testset)]
        kept = max(sizes) if self.config.testsets[testset].pool == "drawn" else sum(sizes)
        return self._plain(SMALL_JOB + sum(sizes) / 20e6, 1.5 * max(sizes) + kept, kept / 3)

    def _lines(self, job: Job) -> float:
        """Lines of all runs of a job."""
        return sum(self.work.run_lines(job.about["testset"], pair) for pair in job.about["pairs"])

    def _kept(self, job: Job) -> float:
        """Bytes of a job's runs: long ids where a question is asked of a paragraph, short ones elsewhere."""
        section = self.config.collections[self.config.testsets[job.about["testset"]].collection]
        lines = sum(self.work.kept_lines(job.about["testset"], pair) for pair in job.about["pairs"])
        return lines * (70 if section.format in ("squad", "bipar") else 36)

    def _reference(self, job: Job) -> Cost:
        lines, texts = self._lines(job), self._largest_table(job) if job.kind == "bm25" else 0.0
        seconds = 0.8 + lines * (30e-6 if job.kind == "bm25" else 6e-6)
        return self._plain(seconds, 60 * MB + 20 * lines + 3 * texts, self._kept(job))

    def _largest_table(self, job: Job) -> float:
        """Bytes of the largest table of documents that a ranking job reads."""
        source = self.config.languages.source
        languages = {source if pair.document == MIXED else pair.document for pair in job.about["pairs"]}
        return max(self.work.documents(job.about["testset"], lang).bytes for lang in languages)

    def _rank(self, job: Job) -> Cost:
        runs = self.work.scored(job.about["testset"], job.about["pairs"])
        tokens = sum(lines * length for lines, length in runs)
        flops = sum(self.shape.forward(lines * length, length) for lines, length in runs)
        lines = sum(lines for lines, _ in runs)
        memory = TORCH + 4 * self.shape.parameters + 250 * MB + 200 * max(lines for lines, _ in runs)
        memory += self._largest_table(job)
        seconds = (TORCH_JOB + lines * 10e-6) * self._slow + flops / self._rate(job)
        return Cost(seconds=seconds, memory=memory, disk=self._kept(job), tokens=tokens, flops=flops)

    def _texts_read(self, _: Job) -> Cost:
        """A table about the texts of all test sets."""
        sizes = [
            self.work.documents(testset, lang).bytes
            for testset, section in self.config.testsets.items()
            for lang in (self.config.mixed_languages(testset) or self.plan.document_languages(testset))
        ]
        return self._plain(1 + sum(sizes) / 50e6, 30 * MB + 1.5 * max(sizes))

    def _all_lines(self) -> float:
        """Lines of all runs of all test sets."""
        return sum(
            self.work.kept_lines(testset, run.pair)
            for testset in self.config.testsets
            for run in self.plan.runs(testset)
        )

    def _score(self, job: Job) -> Cost:
        testset = job.about.get("testset")
        if testset is None:
            testset, runs = job.about["ablated"], job.about["runs"]
            lines = runs * self.work.kept_lines(testset, self.plan.pairs[testset][0])
        else:
            lines = sum(self.work.kept_lines(testset, run.pair) for run in self.plan.runs(testset))
        return Cost(seconds=(3 + 2e-6 * lines) * self._slow, memory=RANX)

    def _tables(self, _: Job) -> Cost:
        asked = sum(self.work.asked(testset) for testset in self.config.testsets for _ in self.plan.runs(testset))
        draws = 1e5 if "fisher" in self.config.evaluate.tests else 1e4
        return self._plain(1 + asked * draws / 1.5e9, 80 * MB + 200 * asked, 40 * asked)

    def _analysis(self, _: Job) -> Cost:
        return self._plain(0.8 + 0.4e-6 * self._all_lines(), 60 * MB)


def _compared(section: VectorsLexicon, queries: float, base: float, cores: int) -> float:
    """Pairs of vectors that one search compares, those one by one counted as what they take longer."""
    if section.search == "ivf":
        cells = section.cells or (8 * base) ** 0.5
        found = queries * min(section.probes * VISITED * base / cells, base)
        return (queries + base) * cells + SINGLE * found
    if section.search == "hnsw":
        candidates = cores * base * section.ef_construction + queries * section.ef_search  # one core builds the graph
        return COMPARED * section.links * SINGLE * candidates
    return queries * base
