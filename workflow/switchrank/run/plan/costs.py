"""What a job costs, from how much it has to do: tokens, floating point operations, seconds, memory, disk.

Each kind of job has a formula. The cost of a job without one, or whose formula fails, is unknown: an estimate never
ends a run. What jobs ask a scheduler for follows from the same formulas (:mod:`switchrank.run.resources`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from switchrank.config.lexicons import EncoderLexicon, InducedLexicon
from switchrank.config.plan import Plan
from switchrank.config.sections import MIXED
from switchrank.config.systems import LATE
from switchrank.corpus.files import SAMPLED
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.rates import (
    FASTER,
    IN_MEMORY,
    MB,
    POLARS,
    RANX,
    REFERENCE,
    REFINED,
    ROLES,
    SEARCH,
    SHARE_OF_GPU,
    SHARE_OF_PEAK,
    SHARE_OF_SEARCH,
    SMALL_JOB,
    TOKENS_OF_WORD,
    TORCH,
    TORCH_JOB,
)
from switchrank.run.plan.sizes import Shape, Sizes, Texts, encoder_shape, read_shape, shape_of
from switchrank.run.plan.work import Work, compared, run_parts, training_of
from switchrank.search.choices import SEARCHED


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
    """The cost of each job of a run on a machine: a method named after a kind of job is its formula."""

    def __init__(self, plan: Plan, sizes: Sizes, machine: Machine) -> None:
        self.plan, self.config, self.sizes, self.machine = plan, plan.config, sizes, machine
        self.work, self._started = Work(plan, sizes), shape_of(plan.config.start)
        self._slow = REFERENCE / machine.gflops

    def of(self, job: Job) -> Cost | None:
        """The cost of a job; None if unknown."""
        try:
            return FORMULAS[job.kind](self, job)
        except Exception:  # whatever a formula meets in a file or a config, the run can do without an estimate
            return None

    def _plain(self, seconds: float, memory: float, disk: float = 20e3, scratch: float = 0.0) -> Cost:
        """The cost of a job without a model: seconds on the reference machine, memory beside that of Polars."""
        return Cost(seconds=seconds * self._slow, memory=POLARS + memory, disk=disk, scratch=scratch)

    def _torch(self, seconds: float, memory: float) -> Cost:
        """The cost of a job that opens a model and writes one."""
        return Cost(seconds=seconds * self._slow, memory=TORCH + memory, disk=_model_bytes(self._started))

    def _shape(self, job: Job) -> Shape:
        """The shape of the model that a job reads; of one that is not there yet, that of the run's start."""
        configs = [file for file in job.inputs if Path(file).name == "config.json"]
        return next(filter(None, map(read_shape, configs)), self._started)

    def _cores(self, job: Job) -> int:
        return min(job.threads, self.machine.cores)

    def provenance(self, _: Job) -> Cost:
        return self._plain(SMALL_JOB, 0)

    dictionary_lexicon = merged_lexicon = degraded_lexicon = lexicon_quality = provenance
    judgements = pool_queries = sweep = warnings_table = provenance
    labelled_queries = labelled_corpus = ablation_tables = provenance

    def table_page(self, _: Job) -> Cost:
        return self._plain(1.5, 80 * MB, 40e3)

    mrr_picture = gain_picture = matrix_picture = lexicon_picture = loss_picture = experiment_picture = table_page
    sentences = table_page

    def labelled_instances(self, _: Job) -> Cost:
        return self._plain(0.9, 60 * MB)

    def report_zip(self, _: Job) -> Cost:
        return self._plain(6.0, 80 * MB, MB)

    # sources and embeddings
    def world(self, _: Job) -> Cost:
        assert self.config.world is not None
        sentences = self.config.world.sentences * len(self.config.languages.every)
        return self._plain(0.5 + 31e-6 * sentences, 80 * MB, 100.0 * sentences)

    def fetch(self, job: Job) -> Cost:
        path = job.outputs[0]
        size = self.sizes.on_disk(path, next((role for word, role in ROLES.items() if word in path), "documents"))
        return Cost(seconds=1 + size / 20e6, disk=size, scratch=size)

    def wikitext(self, job: Job) -> Cost:
        size = self.sizes.on_disk(job.inputs[0])
        return self._plain(1 + size / 1.5e6, 100 * MB, size / 2)

    def collection(self, job: Job) -> Cost:
        found = self.sizes.collection(Path(job.outputs[0]).parent.name)
        sizes = [texts.bytes for texts in (*found.documents.values(), *found.queries.values())]
        seconds = SMALL_JOB + sum(sizes) / 15e6 + found.triples / 1e6
        return self._plain(seconds, 1.5 * max(sizes), 0.35 * sum(sizes) + 12 * found.triples)

    def bitext(self, job: Job) -> Cost:
        size = self.sizes.text_bytes(job.inputs)
        return self._plain(SMALL_JOB + size / 5e6, 90 * MB, 0.4 * size, size)

    def train_vectors(self, job: Job) -> Cost:
        assert self.config.vectors is not None
        training, lang = self.config.vectors.training, job.wildcards["lang"]
        words = self.sizes.text_bytes(self.plan.plain(self.plan.config.vector_sources[lang].text or [])) / 6
        buckets = 2_000_000 * training.dim * 4 if training.dim > 64 else 64 * MB
        matrix = self._matrix(job)
        return self._plain(1 + words * training.epochs * training.dim / 21e6, buckets + matrix, matrix)

    def _matrix(self, job: Job) -> float:
        words, width = self.sizes.vectors(job.wildcards["lang"])
        return words * (width * 4 + 10)

    def import_vectors(self, job: Job) -> Cost:
        matrix = self._matrix(job)
        return self._plain(SMALL_JOB + matrix / 20e6, 1.5 * matrix, matrix)

    def keep_vectors(self, job: Job) -> Cost:
        matrix = self._matrix(job)
        return self._plain(SMALL_JOB + matrix / 100e6, 2 * matrix, matrix)

    def align_vectors(self, job: Job) -> Cost:
        """Rounds of mutual best pairs among the most frequent words of both languages, then the rotation."""
        assert self.config.vectors is not None
        chosen, stored = self.config.vectors.alignment, self.keep_vectors(job)
        sides = [self.sizes.vectors(lang) for lang in (self.config.languages.source, job.wildcards["lang"])]
        left, right = (min(words, REFINED) for words, _ in sides)
        flops = chosen.refinements * 2 * left * right * sides[0][1] * (SEARCHED.get(chosen.criterion, 1) + 1)
        return replace(stored, seconds=stored.seconds + 0.5 * self._slow + flops / self._searched(job), flops=flops)

    def encode_words(self, job: Job) -> Cost:
        section = self.config.lexicons[job.wildcards["lexicon"]]
        assert isinstance(section, EncoderLexicon)
        words, shape = self.sizes.encoded_words(section, job.wildcards["lang"]), encoder_shape(self.plan, section)
        tokens, weights = words * TOKENS_OF_WORD, 4 * shape.parameters
        flops, disk = shape.forward(tokens, TOKENS_OF_WORD), words * (shape.hidden * 4 + 10)
        seconds = (TORCH_JOB + weights / 100e6) * self._slow + flops / self._rate(job, "fp32", shape.hidden)
        return Cost(seconds, TORCH + 2 * weights, disk, tokens=tokens, flops=flops)

    # lexicon and corpus
    def vectors_lexicon(self, job: Job) -> Cost:
        section = self.config.lexicons[job.wildcards["lexicon"]]
        assert isinstance(section, InducedLexicon)
        sides = (self.sizes.lexicon_vectors(job.wildcards["lexicon"], job.wildcards[side]) for side in ("src", "tgt"))
        (first, width), (second, _) = sides
        left, right = min(first, section.max_source or first), min(second, section.max_target or second)
        cores = self._cores(job)
        forward, back = compared(section, left, right, cores), compared(section, right, left, cores)
        both = (SEARCHED.get(section.criterion, 1) - 1) / 2  # beyond the first search, half each way
        flops = 2 * width * (forward * (1 + both) + back * (both + section.mutual))
        seconds = 0.5 * self._slow + flops / self._searched(job)
        copies = 8 if section.search == "exact" else 16
        memory = POLARS + copies * (first + second) * width
        return Cost(seconds=seconds, memory=memory, disk=9 * left * section.k, flops=flops)

    def _searched(self, job: Job) -> float:
        """Floating point operations a second of a search for neighbours."""
        return SHARE_OF_SEARCH * 1e9 * self.machine.gflops * self._cores(job)

    def titles_lexicon(self, job: Job) -> Cost:
        size = sum(map(self.sizes.on_disk, job.inputs))
        return self._plain(SMALL_JOB + size / 4e6, min(3 * size, 2e9), min(20 * MB, size / 10))

    def instances(self, job: Job) -> Cost:
        collection, split = job.wildcards["collection"], job.wildcards["split"]
        rows, documents = self.work.instances(collection, split), self.work.training_documents(collection)
        given = self.sizes.collection(collection).triples
        searched = 0.0 if given else self.work.queries(collection, split).rows * documents.rows
        return self._plain(0.6 + SEARCH * searched + rows / 1e6, 1.5 * documents.bytes + 60 * rows, 8 * rows)

    def _texts(self, job: Job, name: str, documents: Texts) -> Texts:
        """The texts that a job about one table reads: documents, or queries of a split."""
        return documents if name == "documents" else self.work.queries(job.wildcards["collection"], name.split("-")[1])

    def tokens(self, job: Job) -> Cost:
        texts = self._texts(job, job.wildcards["texts"], self.work.training_documents(job.wildcards["collection"]))
        return self._plain(0.3 + texts.bytes / 3e6, texts.bytes / 2, 0.6 * texts.bytes)

    def switch(self, job: Job) -> Cost:
        corpus = job.wildcards["corpus"]
        pairs, section = self.work.corpus(corpus), self.config.corpora[corpus]
        rows = pairs.rows + self.work.instances(section.collection, "dev")
        seconds = 0.7 + rows * (2e-6 if section.parallel else 11e-6)
        disk = rows * pairs.chars * (0.2 if section.lexicon else 0.08)
        scratch = 0.0 if section.parallel else self._laid_down(corpus)
        return self._plain(seconds, self._switching(corpus, rows), disk, scratch)

    parallel = switch

    def _switching(self, corpus: str, rows: float) -> float:
        """Memory of a job that switches a corpus pair by pair."""
        documents = self.work.training_documents(self.config.corpora[corpus].collection)
        return 60 * MB + 2 * documents.bytes + 500 * min(rows, 1e6)

    def _laid_down(self, corpus: str) -> float:
        """Bytes of the nameless file that holds the pieces of a corpus's texts: 4 for each word and each gap."""
        return 1.4 * self.work.training_documents(self.config.corpora[corpus].collection).bytes

    def on_the_fly(self, job: Job) -> Cost:
        """All pairs are switched for the statistics; the development pairs are written."""
        corpus = job.wildcards["corpus"]
        pairs, section = self.work.corpus(corpus), self.config.corpora[corpus]
        dev = self.work.instances(section.collection, "dev")
        seconds, disk = 1.4 + 9e-6 * (pairs.rows + dev), 20e3 + 0.2 * dev * pairs.chars
        return self._plain(seconds, self._switching(corpus, pairs.rows), disk, self._laid_down(corpus))

    def sample(self, job: Job) -> Cost:
        corpus = job.wildcards["corpus"]
        pairs = self.work.corpus(corpus)
        rows = min(pairs.rows, SAMPLED)
        disk = 0.2 * rows * pairs.chars
        return self._plain(0.7 + 11e-6 * rows, self._switching(corpus, rows), disk, self._laid_down(corpus))

    def translate(self, job: Job) -> Cost:
        text = self.sizes.documents(job.wildcards["collection"], job.wildcards["lang"])
        texts = self._texts(job, job.wildcards["table"], text)
        return self._plain(0.5 + texts.bytes / 2e6, texts.bytes, 0.4 * texts.bytes)

    # train
    def tokenizer(self, job: Job) -> Cost:
        size = self.sizes.text_bytes(file for file in job.inputs if not file.endswith(".words.parquet"))
        return self._plain(2 + 0.15e-6 * size, 50 * MB + size, 65.0 * self._started.vocabulary)

    def initial_model(self, _: Job) -> Cost:
        weights = 4 * self._started.parameters
        return self._torch(TORCH_JOB + weights / 100e6, 2 * weights)

    pretrained_model = finished_model = finished_encoder = initial_model

    def transplant(self, job: Job) -> Cost:
        named = job.wildcards.get("start")
        lexicon = str((self.plan.named_starts[named][0] if named else self.plan.own_start[-1]).lexicon)
        rows = self.sizes.lexicon_rows(lexicon) * len(self.plan.lexicon_languages(lexicon))
        return self._torch(TORCH_JOB + rows / 20e3, 4e3 * rows + 8 * self._started.parameters)

    def extend(self, job: Job) -> Cost:
        """Words are counted, and rows of new pieces summed over the words of lexicons and vectors."""
        size = self.sizes.text_bytes(
            file for file in job.inputs if not file.endswith((".npy", ".json", ".safetensors"))
        )
        rows = 8 * self._started.vocabulary * self._started.hidden * 4
        return self._torch(TORCH_JOB + 10 + 0.5e-6 * size, rows + 12 * self._started.parameters)

    def _rate(self, job: Job, precision: str, width: int) -> float:
        """Floating point operations a second that a job reaches with a model of a width."""
        if job.gpus:
            return self.machine.gpu_tflops * 1e12 * SHARE_OF_GPU * job.gpus
        half = precision in ("bf16", "auto") and self.machine.computes_bf16
        faster = [times for least, times in FASTER.get(job.kind, {}).items() if half and width >= least]
        return self.machine.gflops * 1e9 * self._cores(job) * SHARE_OF_PEAK * max(faster, default=1.0)

    def train(self, job: Job) -> Cost | None:
        training, shape = training_of(self.plan, job), self._shape(job)
        if training is None:
            return None
        settings, pairs = training.settings, self.work.pairs(training)
        length = self.work.row_tokens(training)
        steps, judged = training.steps, self.work.judged(training) * length
        tokens = steps * settings.batch_size * length
        flops = 3 * shape.forward(tokens, length) + shape.forward(judged, length)
        weights, rate = 4 * shape.parameters, self._rate(job, settings.precision, shape.hidden)
        moved = steps * 12 * weights / (1e12 if job.gpus else 8e9)
        summed = steps * 2 * weights / (5e10 if job.gpus else 1e9) if job.processes > 1 else 0.0
        micro = min(settings.token_budget, settings.batch_size * length)
        activations = 4 * micro * shape.layers * (10 * shape.hidden + 2 * shape.inner)
        each = TORCH + 4 * weights + (0 if job.gpus else activations)
        prepared, held, scratch = TORCH_JOB + 0.01 * steps, 1300 * min(pairs.rows, 2e7), 9 * weights
        corpus = training.corpus
        if corpus and self.config.corpora[corpus].materialise is not True:
            prepared += 2 + 1e-6 * pairs.rows + 25e-6 * steps * settings.batch_size
            held = self._switching(corpus, 0) + IN_MEMORY * pairs.rows
            scratch += self._laid_down(corpus) * job.processes
        return Cost(
            seconds=prepared * self._slow + flops / rate + moved + summed,
            memory=(each + held) * job.processes + (TORCH if job.processes > 1 else 0),
            disk=_model_bytes(shape),
            scratch=scratch,
            tokens=tokens + judged,
            flops=flops,
        )

    # rank and evaluate
    def candidates(self, job: Job) -> Cost:
        testset, lang = job.wildcards["testset"], job.wildcards.get("lang") or job.wildcards["document"]
        documents, asked = self.work.documents(testset, lang), self.work.test_queries(testset)
        kept = asked * self.work.candidates(testset, lang)
        searched = self.config.testsets[testset].candidates.bm25 is not None
        seconds = SEARCH * asked * documents.rows + documents.bytes / 5e6 if searched else documents.rows / 2e6
        return self._plain(0.6 + seconds, 2 * documents.bytes + 150 * kept, 3.5 * kept)

    def first_stage(self, job: Job) -> Cost:
        testset, source = job.wildcards["testset"], self.config.languages.source
        seconds, largest = 0.6, 0.0
        for pairs in (self.plan.pairs[testset], *self.plan.lexicon_pairs(testset).values()):
            searches = Counter(source if pair.document == MIXED else pair.document for pair in pairs)
            for lang, times in searches.items():
                documents = self.work.documents(testset, lang)
                seconds += SEARCH * self.work.test_queries(testset) * times * documents.rows + documents.bytes / 5e6
                largest = max(largest, documents.bytes)
        return self._plain(seconds, 2 * largest)

    def pool(self, job: Job) -> Cost:
        testset = Path(job.outputs[0]).parent.name
        sizes = [self.work.documents(testset, lang).bytes for lang in self.config.mixed_languages(testset)]
        kept = max(sizes) if self.config.testsets[testset].pool == "drawn" else sum(sizes)
        return self._plain(SMALL_JOB + sum(sizes) / 20e6, 1.5 * max(sizes) + kept, kept / 3)

    def _kept(self, job: Job) -> float:
        """Bytes of a job's runs: ids are long in formats where a question belongs to a paragraph."""
        kept = 0.0
        for testset, pair in self.work.ranked(job.outputs):
            section = self.config.collections[self.config.testsets[testset].collection]
            kept += self.work.kept_lines(testset, pair) * (70 if section.format in ("squad", "bipar") else 36)
        return kept

    def rank_reference(self, job: Job) -> Cost:
        lines = sum(self.work.run_lines(*run) for run in self.work.ranked(job.outputs))
        each, texts = (30e-6, self._largest_table(job)) if run_parts(job.outputs)[0][0] == "bm25" else (6e-6, 0.0)
        return self._plain(0.8 + lines * each, 60 * MB + 20 * lines + 3 * texts, self._kept(job))

    def _largest_table(self, job: Job) -> float:
        return max(self.work.documents(testset, pair.document).bytes for testset, pair in self.work.ranked(job.outputs))

    def rank(self, job: Job) -> Cost:
        shape, ranked = self._shape(job), self.work.ranked(job.outputs)
        runs = [(self.work.run_lines(*run), self.work.pair_tokens(*run)) for run in ranked]
        tokens = sum(lines * length for lines, length in runs)
        flops = sum(shape.forward(lines * length, length) for lines, length in runs)
        lines = sum(lines for lines, _ in runs)
        texts = self._largest_table(job) + 200 * max(lines for lines, _ in runs)
        memory = TORCH + 4 * shape.parameters + 250 * MB + texts
        rate = self._rate(job, self.config.rank.precision, shape.hidden)
        seconds = (TORCH_JOB + lines * 10e-6) * self._slow + flops / rate
        return Cost(seconds=seconds, memory=memory, disk=self._kept(job), tokens=tokens, flops=flops)

    def encode(self, job: Job) -> Cost:
        """A table of texts through a model, each text by itself."""
        texts, shape = self.work.encoded(job.wildcards), self._shape(job)
        late = self.config.architecture(job.wildcards["encoder"].partition("/")[0]) == LATE
        length = self.work.tokens(texts.chars, (self.config.late if late else self.config.dual).max_length)
        tokens, flops = texts.rows * length, shape.forward(texts.rows * length, length)
        rate = self._rate(job, self.config.rank.precision, shape.hidden)
        seconds = (TORCH_JOB + texts.rows * 10e-6) * self._slow + flops / rate
        vectors = 2 * tokens * self.config.late.dim if late else 4 * texts.rows * shape.hidden
        return Cost(seconds, TORCH + 4 * shape.parameters + texts.bytes, vectors, tokens=tokens, flops=flops)

    def pool_vectors(self, job: Job) -> Cost:
        """Vectors of a pool, or of one table, read and written block by block."""
        words, width = job.wildcards, self._started.hidden
        name = words.get("collection") or self.config.testsets[words["testset"]].collection
        languages = [words["lang"]] if "lang" in words else self.config.mixed_languages(words["testset"])
        rows = sum(self.sizes.documents(name, lang).rows for lang in languages)
        if "documents" not in words.values():
            rows = self.work.queries(name, "test").rows
        return self._plain(SMALL_JOB + 8 * width * rows / 100e6, 80 * MB, 4 * width * rows)

    shift_vectors = mix_vectors = pool_vectors

    def retrieve(self, job: Job) -> Cost:
        """Each query's vector times those of all documents, or of its candidates; of late interaction, each token's."""
        if any(self.config.architecture(system) == LATE for system, _, _ in run_parts(job.outputs)):
            lines = sum(self.work.run_lines(*run) for run in self.work.ranked(job.outputs))
            return self._plain(0.8 + lines * 23e-6, 60 * lines, self._kept(job))  # 32 tokens by 100
        width, searched = self._started.hidden, self.work.searched(job.outputs)
        lines = sum(self.work.retrieved_lines(*run) for run in searched)
        flops = sum(2.0 * width * self.work.run_lines(*run) for run in searched)
        largest = max(self.work.documents(testset, pair.document).rows for testset, pair in searched)
        plain = self._plain(0.8 + lines * 6e-6, 4 * width * largest + 60 * lines, 36 * lines)
        return replace(plain, seconds=plain.seconds + flops / self._searched(job), flops=flops)

    def fuse(self, job: Job) -> Cost:
        lines = sum(self.work.retrieved_lines(*run) for run in self.work.ranked(job.inputs))
        return self._plain(3 + 6e-6 * lines, RANX - POLARS + 60 * lines, 20 * lines)

    def overlap(self, _: Job) -> Cost:
        """A table about the texts of all test sets."""
        sizes = [
            self.work.documents(testset, lang).bytes
            for testset, section in self.config.testsets.items()
            for lang in (self.config.mixed_languages(testset) or self.plan.document_languages(testset))
        ]
        return self._plain(1 + sum(sizes) / 50e6, 30 * MB + 1.5 * max(sizes))

    testsets = exposure = lexicon_coverage = overlap

    def _read_lines(self, job: Job) -> float:
        return sum(self.work.kept_lines(*run) for run in self.work.ranked(job.inputs))

    def score_runs(self, job: Job) -> Cost:
        return Cost(seconds=(3 + 2e-6 * self._read_lines(job)) * self._slow, memory=RANX)

    def tables(self, _: Job) -> Cost:
        asked = sum(self.work.test_queries(name) for name in self.config.testsets for _ in self.plan.runs(name))
        draws = 1e5 if "fisher" in self.config.evaluate.tests else 1e4
        return self._plain(1 + asked * draws / 1.5e9, 80 * MB + 200 * asked, 40 * asked)

    main_table = setups = tables

    def bias(self, job: Job) -> Cost:
        return self._plain(0.8 + 0.4e-6 * self._read_lines(job), 60 * MB)

    shift = bias


FORMULAS: dict[str, Callable[[Costs, Job], Cost | None]] = {
    name: formula for name, formula in vars(Costs).items() if not name.startswith("_") and name != "of"
}
"""By kind of job, which is the name of the script that its rule runs."""


def _model_bytes(shape: Shape) -> float:
    """A model on disk, its tokenizer included."""
    return 4 * shape.parameters + 65.0 * shape.vocabulary
