"""Sizes and costs: numbers by hand for a config whose files are made up."""

import gzip
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.conftest import ROOT
from tests.unit.planned import jobs_of_config, write_inputs

from switchrank.config.load import load_plan
from switchrank.config.systems import Start
from switchrank.core.errors import UserError
from switchrank.run.plan.cli import as_json, as_text
from switchrank.run.plan.costs import FORMULAS, Costs
from switchrank.run.plan.estimate import check_disk, estimate_run
from switchrank.run.plan.jobs import Graph, Job, job_graph
from switchrank.run.plan.machine import Machine, free_bytes, measure_gflops
from switchrank.run.plan.rates import REFERENCE, SHARE_OF_PEAK
from switchrank.run.plan.sizes import ASSUMED, Sizes, Texts, shape_of

MACHINE = Machine(gflops=100, cores=2)
SEARCH = Job("vectors_lexicon", "vectors_lexicon", wildcards={"lexicon": "gold", "src": "en", "tgt": "qaa"}, threads=4)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_inputs(tmp_path)


def opened(config):
    plan = load_plan(config, {})
    return plan, Sizes(plan)


def costs(config, machine=MACHINE):
    """The cost of every job by its name, under a config that changes what they do and not which there are."""
    plan, sizes = opened(config)
    found = Costs(plan, sizes, machine)
    return {job.name: found.of(job) for job in jobs_of_config().jobs}


def cost_of(config, job, machine=MACHINE):
    """The cost of one job under a config."""
    return Costs(*opened(config), machine).of(job)


def test_rows_and_lengths_are_those_of_the_files(config):
    _, sizes = opened(config)
    found = sizes.collection("docs")
    assert found.documents["qaa"] == Texts(10, 40)
    assert found.queries == {"train": Texts(2, 12), "dev": Texts(2, 12), "test": Texts(4, 12)}
    assert not sizes.assumed


def test_a_packed_file_counts_by_what_is_in_it(config):
    plain = config.parent / "data" / "docs.en.tsv"
    text = plain.read_bytes()
    plain.unlink()
    packed = plain.with_name("docs.en.tsv.gz")
    packed.write_bytes(gzip.compress(text))
    _, sizes = opened(config)
    assert sizes.lines(str(packed), "documents") == Texts(10, 40)


def test_a_large_file_is_judged_by_its_beginning(config):
    large = config.parent / "data" / "large.tsv"
    large.write_text("x" * 99 + "\n", newline="\n")
    with large.open("a") as stream:
        for _ in range(19_999):
            stream.write("x" * 99 + "\n")
    _, sizes = opened(config)
    assert sizes.lines(str(large), "documents").rows == pytest.approx(20_000, rel=0.01)


def test_a_file_that_is_not_here_is_taken_to_be_as_large_as_ms_marcos_and_named(config):
    (config.parent / "data" / "docs.en.tsv").unlink()
    _, sizes = opened(config)
    assert sizes.collection("docs").documents["en"] == ASSUMED["documents"]
    assert list(sizes.assumed) == ["data/docs.en.tsv"]


def test_the_shape_of_a_model_is_that_of_its_preset_its_config_or_its_name(tmp_path):
    tiny = shape_of(Start(preset="tiny", tokenizer={"size": 1000}))
    assert tiny.body == 2 * (4 * 64 * 64 + 2 * 64 * 128) == 65_536
    assert tiny.parameters == 65_536 + (1000 + 514) * 64 + 64 * 64
    assert tiny.forward(tokens=10, length=20) == 10 * (2 * 65_536 + 4 * 20 * 64 * 2)
    named = shape_of(Start(model="someone/mMiniLMv2-L6-H384-distilled"))
    assert (named.layers, named.hidden, named.inner) == (6, 384, 1536)
    more = shape_of(Start(model="all-MiniLM-L6-v2", extend={"rows": ["parts"], "pieces": 2000}))
    assert (more.layers, more.vocabulary) == (6, 30_522 + 2000)
    known = shape_of(Start(model="e5-small-q4"))
    assert (known.layers, known.hidden, known.vocabulary) == (12, 384, 250_037)
    told = '{"num_hidden_layers": 3, "hidden_size": 32, "intermediate_size": 64, "vocab_size": 99}'
    (tmp_path / "config.json").write_text(told)
    assert shape_of(Start(model=str(tmp_path))).layers == 3


def test_training_costs_the_tokens_of_all_steps_and_of_every_development_score(config):
    cost = costs(config)["train/ml-cs-xx-xx-seed1"]
    length = 52 / 4 + 3
    steps, judged = 100 * 32 * length, 2 * 10 * length * 2
    assert cost.tokens == steps + judged
    per_token = 2 * 65_536 + 4 * length * 64 * 2
    assert cost.flops == (3 * steps + judged) * per_token
    assert cost.scratch == 9 * 4 * (65_536 + 1514 * 64 + 4096)


def test_instances_that_are_cut_off_cost_nothing(config):
    whole = costs(config)["corpus/ml-cs-xx-xx"]
    config.write_text(config.read_text().replace("negatives: 3,", "negatives: 3, limit: 4,"))
    assert costs(config)["corpus/ml-cs-xx-xx"].disk < whole.disk


def test_ranking_costs_every_candidate_of_every_pair(config):
    cost = costs(config)["rank/zero-shot-en-en-docs-seed1"]
    assert cost.tokens == 2 * 4 * 5 * 16
    assert cost.disk == 2 * 4 * 5 * 36


@pytest.mark.parametrize(
    ("name", "faster"), [("rank/zero-shot-en-en-docs-seed1", 1.1), ("train/ml-cs-xx-xx-seed1", 1.4)]
)
@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_half_precision_takes_less_time_where_the_cpu_has_units_for_it(config, name, faster, precision):
    rank = f"rank: {{precision: {precision}}}"
    config.write_text(config.read_text().replace("train: {", f"{rank}\ntrain: {{precision: {precision}, "))
    with_units, without = (costs(config, Machine(100, 2, bf16=bf16))[name] for bf16 in (True, False))
    saved = 0 if precision == "fp32" else without.flops / (100e9 * SHARE_OF_PEAK) * (1 - 1 / faster)
    assert without.seconds - with_units.seconds == pytest.approx(saved)


def test_a_run_that_is_given_has_as_many_candidates_of_a_query_as_it_has_lines(config):
    (config.parent / "data/first.trec").write_text(
        "".join(f"q{q} Q0 d{d} {d} 1 x\n" for q in range(4) for d in range(3))
    )
    config.write_text(config.read_text().replace("bm25: 5", "run: data/first.trec"))
    assert costs(config)["rank/zero-shot-en-en-docs-seed1"].tokens == 2 * 4 * 3 * 16


def test_what_the_made_up_world_brings_is_known_before_it_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load_plan(ROOT / "config/paper-mini.yaml", {})
    sizes = Sizes(plan)
    assert sizes.vectors("de") == (8 * 120, 64)
    assert Costs(plan, sizes, MACHINE).work.candidates("mmarco", "de") == 30
    assert not sizes.assumed


def test_a_depth_makes_run_files_smaller_and_leaves_the_work(config):
    config.write_text(config.read_text().replace("bm25: 5", "all: true"))
    plan, sizes = opened(config)
    job = next(job for job in jobs_of_config().jobs if job.kind == "rank")
    rank = plan.config.rank.model_copy(update={"depth": 2})
    plan.config = plan.config.model_copy(update={"rank": rank})
    found = Costs(plan, sizes, MACHINE)
    assert found.of(job).tokens == 2 * 4 * 10 * 16
    assert found.of(job).disk == 2 * 4 * 2 * 36


def test_a_depth_that_a_measure_looks_below_is_refused(config):
    config.write_text(config.read_text() + "rank: {depth: 99}\n")
    with pytest.raises(UserError, match=r"rank\.depth: 99 is less than recall@100 looks at: write 100 or more"):
        opened(config)


def test_a_corpus_that_is_switched_on_the_fly_takes_no_disk_but_its_development_pairs_and_its_sample(config):
    written = costs(config)
    config.write_text(config.read_text().replace("lexicon: gold}", "lexicon: gold, materialise: sample}"))
    plan, sizes = opened(config)
    found = {job.name: Costs(plan, sizes, MACHINE).of(job) for job in job_graph(plan).jobs}
    assert written["corpus/ml-cs-xx-xx"].disk == (2 * 4 * 2 + 2 * 10) * 52 * 0.2
    assert found["corpus/ml-cs-xx-xx"].disk == 20e3 + 2 * 10 * 52 * 0.2
    assert found["corpus/ml-cs-xx-xx-sample"].disk == 2 * 4 * 2 * 52 * 0.2
    model = "train/ml-cs-xx-xx-seed1"
    assert found[model].seconds > written[model].seconds
    assert found[model].scratch == written[model].scratch + 1.4 * 1.5 * 400
    assert found["train/zero-shot-en-en-seed1"] == written["train/zero-shot-en-en-seed1"]


def test_a_faster_machine_needs_less_time_and_no_less_memory(config):
    slow, fast = costs(config), costs(config, Machine(gflops=200, cores=2))
    for name, cost in fast.items():
        assert cost.seconds <= slow[name].seconds
        assert cost.memory == slow[name].memory


def test_more_steps_more_time_and_tokens(config):
    before = costs(config)["train/ml-cs-xx-xx-seed1"]
    config.write_text(config.read_text().replace("steps: 100", "steps: 1000"))
    after = costs(config)["train/ml-cs-xx-xx-seed1"]
    assert after.tokens > 9 * before.tokens
    assert after.seconds > before.seconds


def test_jobs_whose_outputs_are_there_are_done(config):
    plan, _ = opened(config)
    (config.parent / "results/mini/lexicons/gold").mkdir(parents=True)
    (config.parent / "results/mini/lexicons/gold/en-qaa.parquet").touch()
    assert [job.rule for job in estimate_run(plan, jobs_of_config(), MACHINE).done] == ["dictionary_lexicon"]


def test_a_run_that_does_not_fit_on_the_disk_ends_before_it_begins(config, monkeypatch):
    plan, _ = opened(config)
    job = next(job for job in jobs_of_config().jobs if job.kind == "train")
    check_disk(plan, [job], config)
    monkeypatch.setattr("switchrank.run.plan.estimate.free_bytes", lambda _: 1000)
    check_disk(plan, [], config)
    with pytest.raises(UserError, match=r"mini\.yaml: run mini: needs about 0\.0 GB of disk, and 0\.0 GB are free"):
        check_disk(plan, [job], config)


@pytest.mark.parametrize("link", ["results", "results/mini", "results/mini/models"])
@pytest.mark.parametrize("made", [True, False])
def test_free_disk_is_that_where_a_link_leads(config, monkeypatch, link, made):
    """The disk of the link has room, the one it leads to has not."""
    plan, _ = opened(config)
    job = next(job for job in jobs_of_config().jobs if job.kind == "train")
    disk = config.parent / "disk"
    disk.mkdir()
    (config.parent / link).parent.mkdir(parents=True, exist_ok=True)
    (config.parent / link).symlink_to(disk / "deep")
    if made:
        (disk / "deep").mkdir()
    usage = {True: SimpleNamespace(free=1000), False: SimpleNamespace(free=10**15)}
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage[Path(place).is_relative_to(disk)])
    assert free_bytes(config.parent / link) == 1000
    with pytest.raises(UserError, match=r"0\.0 GB are free"):
        check_disk(plan, [job], config)


def test_a_need_that_is_a_guess_ends_nothing(config, monkeypatch, capsys):
    (config.parent / "data" / "docs.en.tsv").unlink()
    plan, _ = opened(config)
    monkeypatch.setattr("switchrank.run.plan.estimate.free_bytes", lambda _: 1000)
    check_disk(plan, jobs_of_config().jobs, config)
    assert capsys.readouterr().err.startswith(f"warning: {config}: run mini: needs about ")


def test_the_machine_is_measured(tmp_path):
    assert measure_gflops(0.05) >= 1
    assert free_bytes(tmp_path / "not" / "there") > 0


def with_vectors(config, lexicon, *, words=(20_000, 200_000), aligned="true"):
    """The config with vectors of 300 dimensions, of which only the first lines are there, and a lexicon of them."""
    for lang, count in zip(("en", "qaa"), words, strict=True):
        (config.parent / f"data/{lang}.vec").write_text(f"{count} 300\n")
    source = "{{path: data/{lang}.vec, aligned: {aligned}}}"
    languages = ", ".join(f"{lang}: {source.format(lang=lang, aligned=aligned)}" for lang in ("en", "qaa"))
    text = config.read_text().replace("{kind: dictionary, path: data/en-qaa.tsv}", f"{{kind: vectors, {lexicon}}}")
    config.write_text(f"{text}vectors: {{languages: {{{languages}}}}}\n")


@pytest.mark.parametrize(
    ("lexicon", "words", "seconds"),
    [
        ("criterion: nn", (20_000, 200_000), 12.6),
        ("criterion: csls", (20_000, 200_000), 38.2),
        ("criterion: csls, max_source: 20000", (200_000, 200_000), 38.2),
        ("criterion: nn", (50_000, 200_000), 31.5),
        ("criterion: nn, search: ivf", (50_000, 200_000), 5.8),
        ("criterion: nn, search: hnsw, ef_search: 64", (2_000, 50_000), 12.5),
    ],
)
def test_lexicons_of_vectors_cost_what_searches_took(config, lexicon, words, seconds):
    """Processor time of searches on one core of 98 GFLOP/s, halved where two share them."""
    with_vectors(config, lexicon, words=words)
    assert cost_of(config, SEARCH, Machine(98, 2)).seconds == pytest.approx(seconds, rel=0.3)


def test_words_cost_a_forward_pass_over_their_pieces(config):
    """7,766 words of four languages took 29 s on one core, 5 of them to import what is needed."""
    enc = "{kind: encoder, model: e5-small-q4, words: texts, max_words: 7766}"
    config.write_text(config.read_text().replace("{kind: dictionary, path: data/en-qaa.tsv}", enc))
    encode = Job("encode_words", "encode_words", wildcards={"lexicon": "gold", "lang": "qaa"}, threads=1)
    cost = cost_of(config, encode, Machine(98, 2))
    assert 29 / 2 < cost.seconds < 29 * 2
    assert cost.disk == 7_766 * (384 * 4 + 10)
    induced = cost_of(config, SEARCH, Machine(98, 2))
    assert induced.flops == 2 * 384 * 7_766**2 * 3


def test_late_interaction_costs_a_vector_for_each_token_and_each_pair_by_itself(config):
    late = "late: {corpus: english, architecture: late-interaction}"
    config.write_text(config.read_text().replace("ml-cs: {corpus: ml-cs}", late))
    words = {"encoder": "late/en-en/seed1", "collection": "docs", "table": "documents", "lang": "en"}
    encoded = cost_of(config, Job("encode_tokens", "encode", wildcards=words, threads=1))
    assert encoded.tokens == 10 * (40 / 4 + 3)
    assert encoded.disk == 2 * 128 * encoded.tokens
    run = "results/mini/runs/late/docs/en-qaa/seed1.trec"
    compared = cost_of(config, Job("retrieve_late_en_en_docs", "retrieve", outputs=[run]))
    assert compared.seconds == pytest.approx((0.8 + 4 * 5 * 23e-6) * REFERENCE / MACHINE.gflops)


def test_an_alignment_costs_its_refinements(config):
    with_vectors(config, "criterion: nn", words=(200_000, 200_000), aligned="false")
    align = Job("align_vectors", "align_vectors", wildcards={"lang": "qaa"})
    three = cost_of(config, align)
    config.write_text(config.read_text().replace("vectors: {", "vectors: {alignment: {refinements: 0}, "))
    none = cost_of(config, align)
    assert three.flops == 3 * 2 * 15_000**2 * 300 * 4
    assert none.flops == 0
    assert three.seconds > none.seconds + 1


def test_a_criterion_that_nobody_has_said_more_of_costs_one_search(config, monkeypatch):
    with_vectors(config, "criterion: nn")
    one = cost_of(config, SEARCH)
    monkeypatch.setattr("switchrank.run.plan.costs.SEARCHED", {})
    assert cost_of(config, SEARCH) == one


def test_every_script_of_a_rule_has_a_formula():
    assert {file.stem for file in (ROOT / "workflow/scripts").glob("*.py")} == FORMULAS.keys()


@pytest.fixture
def unknown(config, monkeypatch):
    """The jobs of a run, one of whose kinds has no formula and another of which has one that fails."""
    plan, _ = opened(config)
    graph = jobs_of_config()
    monkeypatch.delitem(FORMULAS, "score_runs")
    monkeypatch.setitem(FORMULAS, "tables", lambda *_: 1 / 0)
    return plan, graph


def test_a_cost_that_nobody_knows_is_unknown_and_every_sum_says_at_least(unknown):
    estimate = estimate_run(*unknown, MACHINE)
    assert {job.kind for job in estimate.unknown} == {"score_runs", "tables"}
    told = as_text(estimate)
    assert re.search(r"^evaluate +tables +1 +unknown +unknown +unknown$", told, re.MULTILINE)
    assert re.search(r"^all .* at least \S+ \S+  at least \S+ \S+  at least \S+ \S+$", told, re.MULTILINE)
    for sum_of in ("wall time: at least ", "critical path: at least ", "disk: at least ", "memory at once: at least "):
        assert sum_of in told
    assert "unknown: what 2 job(s) cost (score_runs, tables); sums leave them out" in told
    shown = as_json(estimate)
    assert shown["unknown"] == 2
    assert {job["name"] for job in shown["jobs"] if job["seconds"] is None} == {"evaluate/docs", "evaluate/tables"}


def test_where_every_cost_is_known_no_sum_says_at_least(config):
    plan, _ = opened(config)
    told = as_text(estimate_run(plan, jobs_of_config(), MACHINE))
    assert "at least" not in told
    assert "unknown" not in told


def test_no_estimate_ends_a_start(unknown, config):
    plan, graph = unknown
    check_disk(plan, graph.jobs, config)


@pytest.mark.parametrize("kind", sorted(FORMULAS))
def test_a_job_that_is_not_as_a_formula_expects_it_costs_something_or_is_unknown(config, kind):
    plan, sizes = opened(config)
    job = Job("rule", kind, ["given"], ["made"], "results/mini/logs/corpus/x.log")
    estimate = estimate_run(plan, Graph([job]), MACHINE)
    cost = Costs(plan, sizes, MACHINE).of(job)
    assert (cost is None) == (job in estimate.unknown)
    assert cost is None or cost.seconds > 0
