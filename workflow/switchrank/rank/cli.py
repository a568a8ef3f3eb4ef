"""``switchrank rank``: your own files by default; candidates, test sets, reference rankings, pools as subcommands."""

from __future__ import annotations

import argparse
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.rank.pool_cli import register_pool

_EXAMPLES = """\
examples:
  # score every document for every query
  switchrank rank --model models/ml-cs/xx-xx/seed1 --queries queries.tsv --docs docs.tsv --out run.trec

  # re-rank the 100 best of a first-stage run
  switchrank rank --model MODEL --queries queries.tsv --docs docs.tsv --run bm25.trec --top 100 --out run.trec

queries.tsv and docs.tsv hold one 'id<TAB>text' a line, no header (.tsv, .tsv.gz), or are Parquet tables with columns
id and text. The output is a TREC run: qid Q0 docid rank score system, best first; scores are logits.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``switchrank rank`` and its subcommands ``candidates``, ``testset``, ``reference``, ``pool``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    parser.add_argument("--model", help="folder of a trained cross-encoder (Hugging Face, one label)")
    parser.add_argument("--queries", help="queries: TSV id, text, or Parquet")
    parser.add_argument("--docs", help="documents: TSV id, text, or Parquet")
    parser.add_argument("--run", dest="ranking", help="re-rank only the documents of this TREC or MS MARCO run")
    parser.add_argument(
        "--top", type=int, help="re-rank at most this many documents per query, of --run or else by BM25"
    )
    parser.add_argument("--out", help="the TREC run to write")
    parser.add_argument("--vocabulary", help="vector store prefix (or segmenter:NAME) whose words cut text for --top")
    parser.add_argument("--system", default="switchrank", help="tag in the last column (default: %(default)s)")
    _add_model_options(parser)
    writes(parser, "out")
    parser.set_defaults(run=_rank_files)
    commands = parser.add_subparsers(dest="rank_command", metavar="{candidates,testset,reference,pool}")
    _register_candidates(commands)
    _register_testset(commands)
    _register_reference(commands)
    register_pool(commands)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N; exit code 75 without one (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
    parser.add_argument(
        "--precision",
        default="fp32",
        choices=["fp32", "bf16", "fp16", "auto"],
        help="arithmetic (default: %(default)s)",
    )
    parser.add_argument(
        "--token-budget", type=int, default=16_384, help="padded tokens per batch; lower it when memory is short"
    )
    parser.add_argument("--max-length", type=int, help="subword tokens per pair (default: as trained)")
    parser.add_argument(
        "--truncation", choices=["longest_first", "only_second"], help="what is cut (default: as trained)"
    )


def _model_options(given: argparse.Namespace) -> dict[str, Any]:
    names = ("device", "threads", "precision", "token_budget", "max_length", "truncation")
    return {name: getattr(given, name) for name in names}


def _register_candidates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "choose the documents that are re-ranked for each query of a test set"
    command = commands.add_parser("candidates", help=about, description=about.capitalize() + ".")
    command.add_argument("--queries", required=True, help="QUERIES table, in the language of the documents for --bm25")
    command.add_argument("--documents", required=True, help="DOCUMENTS table of one language")
    command.add_argument("--judgements", required=True, help="JUDGEMENTS table of that language")
    how = command.add_mutually_exclusive_group(required=True)
    how.add_argument("--bm25", type=int, metavar="K", help="K documents by BM25; random ones fill up short lists")
    how.add_argument("--from-run", metavar="FILE", help="the documents of a TREC or MS MARCO run, or top1000 file")
    how.add_argument("--all", action="store_true", help="all documents")
    command.add_argument("--depth", type=int, help="first documents of --from-run that are taken")
    command.add_argument("--fill", action="store_true", help="fill short lists of --from-run up to --depth at random")
    command.add_argument(
        "--relevant", choices=["keep", "add"], default="keep", help="add: put missing relevant documents in"
    )
    command.add_argument("--vocabulary", help="vector store prefix, or segmenter:NAME, to cut unspaced text")
    command.add_argument("--seed", type=int, default=1, help="seed of the random documents (default: %(default)s)")
    command.add_argument("--out", required=True, help="CANDIDATES table to write (.parquet)")
    writes(command, "out")
    command.set_defaults(run=_candidates)


def _add_pairs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--pair",
        action="append",
        nargs=4,
        required=True,
        metavar=("QUERIES", "DOCUMENTS", "CANDIDATES", "OUT"),
        help="tables of one language pair and the run to write; repeat for every pair",
    )


def _register_testset(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "score all pairs of a test set with one model"
    command = commands.add_parser("testset", help=about, description=about.capitalize() + ".")
    command.add_argument("--model", required=True, help="folder of a trained cross-encoder")
    command.add_argument("--system", required=True, help="tag in the last column")
    _add_pairs(command)
    _add_model_options(command)
    command.add_argument(
        "--sigmoid-scores", action="store_true", help="compatibility: float32 probabilities, ties included"
    )
    writes(command, files=_pair_runs)
    command.set_defaults(run=_testset)


def _register_reference(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "rank the candidates of a test set by chance or by BM25"
    command = commands.add_parser("reference", help=about, description=about.capitalize() + ".")
    command.add_argument("kind", choices=["random", "bm25"], help="chance, or BM25 on each pair's own texts")
    _add_pairs(command)
    command.add_argument("--testset", default="", help="name of the test set (part of the random seed)")
    command.add_argument("--seed", type=int, default=1, help="seed of the random ranking (default: %(default)s)")
    command.add_argument("--vocabulary", help="vector store prefix, or segmenter:NAME, to cut unspaced documents")
    command.add_argument("--query-vocabulary", help="vector store prefix, or segmenter:NAME, to cut unspaced queries")
    writes(command, files=_pair_runs)
    command.set_defaults(run=_reference)


def _pairs(given: argparse.Namespace) -> list[dict[str, str]]:
    return [dict(zip(("queries", "documents", "candidates", "out"), pair, strict=True)) for pair in given.pair]


def _pair_runs(given: argparse.Namespace) -> list[str]:
    return [pair["out"] for pair in _pairs(given)]


def _rank_files(given: argparse.Namespace) -> None:
    missing = [f"--{name}" for name in ("model", "queries", "docs", "out") if getattr(given, name) is None]
    if missing:
        raise UserError("switchrank rank", "", f"missing {' '.join(missing)}", "see switchrank rank --help")
    from switchrank.rank.files import rank_files

    rank_files(
        model=given.model,
        queries=given.queries,
        docs=given.docs,
        run=given.ranking,
        top=given.top,
        out=given.out,
        vocabulary=given.vocabulary,
        system=given.system,
        **_model_options(given),
    )


def _candidates(given: argparse.Namespace) -> None:
    from switchrank.rank.candidates import build_candidates

    if given.bm25 is not None:
        method: dict[str, object] = {"bm25": given.bm25}
    elif given.from_run is not None:
        method = {"run": given.from_run, "depth": given.depth, "fill": given.fill}
    else:
        method = {"all": True}
    build_candidates(
        queries=given.queries,
        documents=given.documents,
        judgements=given.judgements,
        method=method,
        relevant=given.relevant,
        vocabulary=given.vocabulary,
        seed=given.seed,
        out=given.out,
    )


def _testset(given: argparse.Namespace) -> None:
    from switchrank.rank.score import rank_pairs

    rank_pairs(
        model=given.model,
        pairs=_pairs(given),
        system=given.system,
        sigmoid_scores=given.sigmoid_scores,
        **_model_options(given),
    )


def _reference(given: argparse.Namespace) -> None:
    from switchrank.rank.reference import rank_reference

    vocabularies = {"vocabulary": given.vocabulary, "query_vocabulary": given.query_vocabulary}
    extra = {name: value for name, value in vocabularies.items() if value is not None}
    pairs = [{**pair, **extra} for pair in _pairs(given)]
    rank_reference(kind=given.kind, pairs=pairs, testset=given.testset, seed=given.seed)
