"""A one-node Slurm for tests: Debian's packages, its daemons as children of this process, and a pretended GPU.

The node has as many CPUs and as much memory as its file says, whatever the machine has (``config_overrides``), so that
memory requests of real size fit and a job that stands still keeps nobody waiting. There is no accounting database, as
on many small clusters: who asks ``sacct`` waits forever, so this also shows that nobody does.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/etc/slurm")
"""Where Debian's Slurm looks. Snakemake's executor hides ``SLURM_CONF`` from the jobs, so no other place will do."""

DAEMONS = ("munged", "slurmctld", "slurmd")
MARK = "# A one-node Slurm, written by the tests of switchrank and removed by them."
SLURM = """{mark}
ClusterName=switchrank
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A job whose node failed may start again after this many seconds instead of two minutes.
AuthInfo=cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SwitchType=switch/none
MpiDefault=none
# Containers have no cgroups of their own to give.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
GresTypes=gpu
# Finished jobs are forgotten after this many seconds: how long `squeue` can tell how they ended.
MinJobAge=300
KillWait=10
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# A count of GPUs without a device file is taken for none.
GRES = """{mark}
NodeName={host} Name=gpu File=/dev/null
"""


def why_not() -> str:
    """Why no Slurm can be started here, or nothing where one can."""
    system = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    if os.getuid() or "ID=debian" not in system.splitlines():
        return "starting Slurm needs root on Debian"
    own = FOLDER / "slurm.conf"
    if own.exists() and not own.read_text().startswith(MARK):
        return f"{own} belongs to a Slurm that is there already"
    if not all(map(shutil.which, DAEMONS)) and not _install():
        return "the packages slurm-wlm and munge cannot be installed"
    return ""


def _install() -> bool:
    """Install Debian's packages; their services stay off."""
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "capture_output": True, "check": False}
    subprocess.run(["apt-get", "update"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "slurm-wlm", "munge"], **quiet)
    return all(map(shutil.which, DAEMONS))


@dataclass(frozen=True)
class Cluster:
    """A Slurm that runs."""

    host: str
    folder: Path

    def ask(self, *command: str) -> str:
        """What a Slurm command prints; one that fails is an error."""
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()

    def jobs(self) -> list[dict[str, str]]:
        """Every job that Slurm remembers: ``id``, ``state``, ``comment`` (rule and wildcards), ``gpus`` asked for."""
        columns = {"id": "JobID", "state": "State", "comment": "Comment", "gpus": "tres-per-job"}
        shown = ",".join(f"{column}:|" for column in columns.values())
        printed = self.ask("squeue", "--states=all", "--noheader", "--Format", shown)
        return [dict(zip(columns, line.split("|"), strict=False)) for line in printed.splitlines()]

    def state(self) -> str:
        """The state of the node."""
        return self.ask("sinfo", "--noheader", "--format=%t")


@contextmanager
def one_node(folder: Path, cpus: int, memory: int) -> Iterator[Cluster]:
    """Start the daemons, yield, cancel what is left and stop what was started.

    Args:
        folder: for state and logs.
        cpus: CPUs that the node says it has.
        memory: its memory in MB.
    """
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        for name, text in (("slurm.conf", SLURM), ("gres.conf", GRES)):
            file = FOLDER / name
            file.write_text(text.format(mark=MARK, host=host, folder=folder, cpus=cpus, memory=memory))
            stack.callback(file.unlink)
        _start_munge(stack, folder)
        stack.enter_context(_daemon([shutil.which("slurmctld"), "-D", "-c"], folder / "slurmctld.log"))
        wait_for(lambda: not subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode, 20)
        stack.enter_context(_daemon([shutil.which("slurmd"), "-D"], folder / "slurmd.log"))
        cluster = Cluster(host, folder)
        wait_for(lambda: cluster.state() == "idle", 20)
        stack.callback(_cancel_all, cluster)
        yield cluster


def _cancel_all(cluster: Cluster) -> None:
    """Cancel every job and wait until none runs."""
    cluster.ask("scancel", "--user=root")
    wait_for(lambda: not cluster.ask("squeue", "--noheader"), 30)


def _start_munge(stack: ExitStack, folder: Path) -> None:
    """Start munged, which signs what the daemons tell each other, unless one runs."""
    if not subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode:
        return
    runtime = Path("/run/munge")
    runtime.mkdir(exist_ok=True)
    shutil.chown(runtime, "munge", "munge")
    stack.enter_context(_daemon([shutil.which("munged"), "--foreground"], folder / "munged.log", user="munge"))
    wait_for(lambda: not subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode, 10)


@contextmanager
def _daemon(command: list[str], log: Path, user: str | None = None) -> Iterator[None]:
    """A daemon that stays a child of this process; it is asked to end, then made to."""
    with log.open("ab") as stream:
        process = subprocess.Popen(command, user=user, group=user, stdout=stream, stderr=stream, cwd="/")
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(test: Callable[[], object], seconds: float, every: float = 0.2) -> None:
    """Wait until ``test`` holds.

    Raises:
        TimeoutError: it does not after ``seconds``.
    """
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {test}")
        time.sleep(every)
