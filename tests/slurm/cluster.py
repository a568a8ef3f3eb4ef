"""A one-node Slurm for tests: Debian's packages, its daemons as children of this process, and a pretended GPU.

The node has as many CPUs and as much memory as its file says, whatever the machine has (``config_overrides``), so that
memory requests of real size fit and a job that stands still keeps nobody waiting. There is no accounting database, as
on many small clusters: who asks ``sacct`` waits forever, so this also shows that nobody does.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

FOLDER = Path("/etc/slurm")
"""Where Debian's Slurm looks. Snakemake's executor hides ``SLURM_CONF`` from the jobs, so no other place will do."""

SYSTEM = Path("/etc/os-release")
"""Tells which system this is."""
APT = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=60"]
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
MinJobAge=3600
KillWait=10
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:pretended:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# A count of GPUs without a device file is taken for none.
GRES = """{mark}
NodeName={host} Name=gpu Type=pretended File=/dev/null
"""


def why_not() -> str:
    """Why no Slurm can be started here, or nothing where one can; Debian's packages are installed if need be."""
    system = SYSTEM.read_text() if SYSTEM.exists() else ""
    if os.getuid() or "ID=debian" not in system.splitlines():
        return "starting Slurm needs root on Debian"
    own = FOLDER / "slurm.conf"
    if own.exists() and not own.read_text().startswith(MARK):
        return f"{own} belongs to a Slurm that is there already"
    if _missing():
        told = _install()
        if _missing():
            return f"the packages slurm-wlm and munge cannot be installed ({told})"
    return ""


def _missing() -> list[str]:
    """The daemons that are not installed."""
    return [daemon for daemon in DAEMONS if shutil.which(daemon) is None]


def _install() -> str:
    """Install Debian's packages, whose services stay off; what apt said last. Where no network is, it soon gives up."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    told = ["apt said nothing"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", "slurm-wlm", "munge"]):
        done = subprocess.run(
            ["apt-get", *APT, *words],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        told += done.stdout.strip().splitlines()
    return told[-1]


class Cluster:
    """A Slurm that runs."""

    def __init__(self, host: str, folder: Path) -> None:
        self.host, self.folder = host, folder
        self._node: subprocess.Popen[bytes] | None = None

    def ask(self, *command: str) -> str:
        """What a Slurm command prints; one that fails is an error."""
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()

    def jobs(self) -> list[dict[str, str]]:
        """Every job that Slurm remembers: ``id``, ``state``, ``comment`` (rule and wildcards) and what it asked for."""
        columns = {
            "id": "JobID",
            "state": "State",
            "comment": "Comment",
            "gpus": "tres-per-job",
            "limit": "TimeLimit",
            "restarts": "RestartCnt",
        }
        shown = ",".join(f"{column}:|" for column in columns.values())
        printed = self.ask("squeue", "--states=all", "--noheader", "--Format", shown)
        return [dict(zip(columns, line.split("|"), strict=False)) for line in printed.splitlines()]

    def state(self) -> str:
        """The state of the node."""
        return self.ask("sinfo", "--noheader", "--format=%t")

    def start_node(self) -> None:
        """Start the node, for the first time or after a failure."""
        self._node = _start(["slurmd", "-D"], self.folder / "slurmd.log")
        wait_for(self._is_up, 60)

    def _is_up(self) -> bool:
        state = self.state()
        if state == "down":  # refused where the node has come back in between
            resume = ["scontrol", "update", f"NodeName={self.host}", "State=RESUME"]
            subprocess.run(resume, check=False, stderr=subprocess.DEVNULL)
        return state in ("idle", "mix", "alloc")

    def fail_node(self) -> None:
        """Power off: the node and every process of its jobs are gone at once, and Slurm is told that it is down."""
        assert self._node is not None
        self._node.kill()
        self._node.wait()
        jobs = [job["id"] for job in self.jobs()]
        for process in [*_stewards(), *processes(*jobs)]:
            _signal(process, signal.SIGKILL)
        self.ask("scontrol", "update", f"NodeName={self.host}", "State=DOWN", "Reason=test")

    def stop_node(self) -> None:
        """Stop the node in good order."""
        if self._node:
            _stop(self._node)


def processes(*jobs: str) -> list[int]:
    """The processes of jobs, told by their environment."""
    named = {f"SLURM_JOB_ID={job}".encode() for job in jobs}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if named & set((folder / "environ").read_bytes().split(b"\0")):
                found.append(int(folder.name))
    return found


def _stewards() -> list[int]:
    """Slurm's own processes beside each job. They outlive the node's daemon, and would report that the jobs failed."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(b"slurmstepd: ["):
                found.append(int(folder.name))
    return found


def freeze(job: str, script: str) -> None:
    """Make the processes of a job that run a script stand still."""
    for process in processes(job):
        with suppress(OSError):
            if Path(f"/proc/{process}/cmdline").read_bytes().rstrip(b"\0").endswith(script.encode()):
                _signal(process, signal.SIGSTOP)


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


@contextmanager
def one_node(folder: Path, cpus: int, memory: int) -> Iterator[Cluster]:
    """Start the daemons, yield, cancel what is left and stop what was started.

    Args:
        folder: for state and logs.
        cpus: CPUs that the node says it has.
        memory: its memory in MB.
    """
    cluster = Cluster(socket.gethostname().partition(".")[0], folder)
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        for name, text in (("slurm.conf", SLURM), ("gres.conf", GRES)):
            file = FOLDER / name
            file.write_text(text.format(mark=MARK, host=cluster.host, folder=folder, cpus=cpus, memory=memory))
            stack.callback(file.unlink)
        _start_munge(stack, folder)
        stack.callback(_stop, _start(["slurmctld", "-D", "-c"], folder / "slurmctld.log"))
        wait_for(lambda: _works("scontrol", "ping"), 20)
        stack.callback(cluster.stop_node)
        cluster.start_node()
        stack.callback(_cancel_all, cluster)
        yield cluster


def _cancel_all(cluster: Cluster) -> None:
    """Cancel every job, wait until none runs, and end what escaped: without cgroups Slurm loses sight of orphans."""
    cluster.ask("scancel", "--user=root")
    wait_for(lambda: not cluster.ask("squeue", "--noheader"), 60)
    for process in processes(*(job["id"] for job in cluster.jobs())):
        _signal(process, signal.SIGKILL)


def _start_munge(stack: ExitStack, folder: Path) -> None:
    """Start munged, which signs what the daemons tell each other, unless one runs."""
    if _works("munge", "-n"):
        return
    runtime = Path("/run/munge")
    runtime.mkdir(exist_ok=True)
    shutil.chown(runtime, "munge", "munge")
    stack.callback(_stop, _start(["munged", "--foreground"], folder / "munged.log", user="munge"))
    wait_for(lambda: _works("munge", "-n"), 10)


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _start(command: list[str], log: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start a daemon that stays a child of this process."""
    with log.open("ab") as stream:
        return subprocess.Popen(command, user=user, group=user, stdout=stream, stderr=stream, cwd="/")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a daemon to end, then make it."""
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
