"""Whose place it is: one cluster, from one machine, writes there and removes there.

A copy of production (a drill, a staging machine, a former primary that came back) has its addresses, its keys, even its
cluster's identifier: what it would send is a second history of the same database, and what it would find too old is
the first one. Everybody who has the keys may restore.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg

from portal.backup import BackupError
from portal.backup.vault import Vault

_NAME: Final = "owner"
_MACHINE: Final = Path("/etc/machine-id")


@dataclass(frozen=True)
class Owner:
    """system: PostgreSQL's identifier of the cluster. machine: a digest of the machine's own, "" where it has none (a
    container). host: what people call it."""

    system: str
    machine: str
    host: str

    def is_same(self, other: "Owner") -> bool:
        """The same cluster from the same machine, as far as both can be told."""
        told = {self.machine, other.machine} - {""}
        return self.system == other.system and len(told) < 2

    def __str__(self) -> str:
        return f"the cluster {self.system} from {self.host}"


def here(connection: psycopg.Connection) -> Owner:
    """Who would write, from this machine."""
    row = connection.execute("select system_identifier::text from pg_control_system()").fetchone()
    assert row is not None
    return Owner(str(row[0]), _machine(), os.uname().nodename)


def kept(vault: Vault) -> Owner | None:
    """Who the place belongs to; None for a place of nobody. Raises BackupError when that was touched."""
    if vault.place.size(_NAME) is None:
        return None
    try:
        return Owner(**json.loads(b"".join(vault.get(_NAME))))
    except (TypeError, ValueError):
        raise BackupError(f"{_NAME}: says nobody's name") from None


def hold(vault: Vault, mine: Owner) -> None:
    """Go on only if the place is ours; one that nobody has becomes ours. A mark that a former key sealed is sealed with
    the current one: the former may leave the list one day. Raises BackupError."""
    found = kept(vault)
    if found is None:
        systems = vault.place.names("wal")
        if systems and mine.system not in systems:
            raise BackupError(_refusal("the clusters " + ", ".join(systems), mine))
        claim(vault, mine)
    elif not found.is_same(mine):
        raise BackupError(_refusal(str(found), mine))
    elif not vault.is_sealed_anew(_NAME):
        claim(vault, found)


def claim(vault: Vault, mine: Owner) -> None:
    """From now on the place is ours, and whoever had it is refused, were its mark unreadable. Raises BackupError."""
    vault.put(_NAME, [json.dumps(asdict(mine)).encode()])


def _refusal(whose: str, mine: Owner) -> str:
    return (
        f"PORTAL_BACKUP_URL is the place of {whose}, and this is {mine}: nothing was written or removed there. A copy"
        " of that machine needs a place of its own; one that took over from it for good says so once: parvis backup"
        " claim (docs/backup.md)"
    )


def _machine() -> str:
    """Never the identifier itself: whoever reads it elsewhere could pass for this machine."""
    with suppress(OSError):
        if found := _MACHINE.read_text(encoding="ascii").strip():
            return hashlib.sha256(b"parvis backup " + found.encode()).hexdigest()
    return ""
