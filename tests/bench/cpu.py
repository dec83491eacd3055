"""How much processor time and memory the portal and the database take, as the kernel counts it (Linux)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1024


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time: of the web processes, of the databases, of the workers."""

    application: float
    database: float
    worker: float = 0.0

    def since(self, before: "Spent") -> "Spent":
        return Spent(
            self.application - before.application, self.database - before.database, self.worker - before.worker
        )


@dataclass(frozen=True)
class Memory:
    """Megabytes of each process: resident, and its share (what several have in common is divided among them)."""

    resident: tuple[float, ...]
    shares: tuple[float, ...]


def spent() -> Spent:
    """What this process's servers and their databases have used so far, their ended children included."""
    seconds = {"gunicorn": 0.0, "postgres": 0.0, "worker": 0.0}
    for _pid, kind, fields in _ours():
        seconds[kind] += sum(int(fields[n]) for n in (11, 12)) / _TICKS
        if kind == "postgres":  # a backend that has ended is counted by the postmaster
            seconds[kind] += sum(int(fields[n]) for n in (13, 14)) / _TICKS
    return Spent(seconds["gunicorn"], seconds["postgres"], seconds["worker"])


def memory(kind: str) -> Memory:
    """Of the processes of this kind now: `gunicorn` or `worker`."""
    found = [_memory(pid) for pid, its_kind, _fields in _ours() if its_kind == kind]
    return Memory(tuple(resident for resident, _share in found), tuple(share for _resident, share in found))


def _memory(pid: int) -> tuple[float, float]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0, 0.0
    said = {name: int(value.split()[0]) for name, _colon, value in (line.partition(":") for line in lines)}
    return said["Rss"] / _MB, said["Pss"] / _MB


def _ours() -> Iterator[tuple[int, str, list[str]]]:
    """Number, kind and state of each process of ours that is one of a kind we know."""
    parents = {each: _fields(each) for each in _numbers()}
    for pid, fields in parents.items():
        kind = _kind(pid)
        if fields and kind and _descends(pid, parents):
            yield pid, kind, fields


def _numbers() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _fields(pid: int) -> list[str]:
    """From the state on (proc(5), stat): [1] parent, [11] user, [12] system, [13] and [14] of ended children."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    if "postgres" in words.split(" ")[0]:
        return "postgres"
    return "gunicorn" if "gunicorn" in words else "worker" if "portal work" in words else ""


def _descends(pid: int, parents: dict[int, list[str]]) -> bool:
    while pid > 1:
        fields = parents.get(pid)
        if not fields:
            return False
        pid = int(fields[1])
        if pid == os.getpid():
            return True
    return False
