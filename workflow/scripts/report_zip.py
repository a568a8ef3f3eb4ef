"""Rule report_zip: Snakemake's own report over the pictures and tables that exist by now."""

import subprocess
import sys
from pathlib import Path

from switchrank.core.atomic import atomic_path
from switchrank.core.job import job

with job(snakemake) as rule, atomic_path(rule.output[0]) as temporary:
    import yaml

    settings = temporary.with_name("config.yaml")
    settings.write_text(yaml.safe_dump(rule.config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "report_items", "--nolock", "--cores", "1"]
    command += ["--snakefile", str(Path(rule.scriptdir).resolve().parents[1] / "Snakefile")]
    subprocess.run([*command, "--configfile", settings, "--report", temporary], check=True)
