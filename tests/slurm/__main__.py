"""``python -m tests.slurm`` prints why no Slurm can be started here, or nothing where one can."""

from tests.slurm.cluster import why_not

print(why_not())
