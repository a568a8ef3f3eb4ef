"""All pictures of the report in one place; each lives in a module of its own."""

from switchrank.report.gain import gain_heatmap
from switchrank.report.lexicon import lexicon_picture
from switchrank.report.loss import loss_picture
from switchrank.report.mrr import mrr_picture

__all__ = ["gain_heatmap", "lexicon_picture", "loss_picture", "mrr_picture"]
