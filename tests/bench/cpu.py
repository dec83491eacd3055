"""How much processor time the application and the database took, as the kernel counted it (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time."""

    application: float
    database: float

    def since(self, before: "Spent") -> "Spent":
        return Spent(self.application - before.application, self.database - before.database)


def spent() -> Spent:
    """What this process's servers and its databases have used so far, their ended children included."""
    seconds = {"gunicorn": 0.0, "postgres": 0.0}
    parents = {each: _fields(each) for each in _numbers()}
    for pid, fields in parents.items():
        kind = _kind(pid)
        if fields and kind and _descends(pid, parents):
            seconds[kind] += sum(int(fields[n]) for n in (11, 12)) / _TICKS
            if kind == "postgres":  # a backend that has ended is counted by the postmaster
                seconds[kind] += sum(int(fields[n]) for n in (13, 14)) / _TICKS
    return Spent(seconds["gunicorn"], seconds["postgres"])


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
    return "postgres" if "postgres" in words.split(" ")[0] else "gunicorn" if "gunicorn" in words else ""


def _descends(pid: int, parents: dict[int, list[str]]) -> bool:
    while pid > 1:
        fields = parents.get(pid)
        if not fields:
            return False
        pid = int(fields[1])
        if pid == os.getpid():
            return True
    return False
