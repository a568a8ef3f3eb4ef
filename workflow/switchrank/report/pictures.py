"""All pictures of the report in one place; each lives in a module of its own."""

from switchrank.report.ablation import ablation_picture
from switchrank.report.bias import bias_picture
from switchrank.report.gain import gain_heatmap
from switchrank.report.lexicon import lexicon_picture
from switchrank.report.loss import loss_picture
from switchrank.report.mrr import mrr_picture
from switchrank.report.overlap import overlap_picture
from switchrank.report.shift import shift_picture
from switchrank.report.sweep import sweep_picture

__all__ = [
    "ablation_picture",
    "bias_picture",
    "gain_heatmap",
    "lexicon_picture",
    "loss_picture",
    "mrr_picture",
    "overlap_picture",
    "shift_picture",
    "sweep_picture",
]
