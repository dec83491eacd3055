"""The files in step with the database: objects never change, so each is copied once, as it is (already encrypted).

A row that was committed has its object: what is listed after the log was shipped holds every object that the log
mentions. An object that left the store because nobody may have it any more is written down, and does not come back.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import psycopg

from portal.backup import BackupError
from portal.backup.vault import Vault, pieces
from portal.files_orphans import MARK
from portal.gateways.storage import ObjectLost, Store

FILES: Final = "files"
_ERASED: Final = "erased"
_PROBES: Final = "check/"
_READABLE = (
    "select key from unnest(%s::text[]) key where exists (select 1 from stored_file f where key in"
    " (f.storage_key, f.shown_key) and f.state not in ('erased', 'infected'))"
)
MENTIONED = (
    "select key from stored_file f, unnest(array_remove(array[f.storage_key, f.shown_key], null)) key"
    " where f.state not in ('erased', 'infected')"
)


@dataclass
class Stock:
    """What is known of the copies, for as long as one process copies."""

    vault: Vault
    known: set[str] = field(default_factory=set)
    erased: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def open(cls, vault: Vault) -> "Stock":
        erased = dict(read_erased(vault))
        return cls(vault, set(kept(vault)), erased)

    def follow(
        self, store: Store, connection: psycopg.Connection, now: datetime, between: Callable[[], object] = lambda: None
    ) -> Sequence[str]:
        """Copy what is new, write down what was erased. between: called after each file. Returns what the store has
        lost. Raises BackupError, Unavailable."""
        listed = store.keys()
        present = {key for key in listed if key != MARK and not key.startswith(_PROBES)}
        for key in present - self.known:
            with suppress(ObjectLost):  # erased since it was listed
                self._copy(store, key)
                self.known.add(key)
            between()
        gone = sorted(self.known - present - self.erased.keys())
        lost = {str(key) for (key,) in connection.execute(_READABLE, (gone,))} if gone else set()
        self._note_erased([key for key in gone if key not in lost], now)
        return sorted(lost)

    def lacking(self, connection: psycopg.Connection) -> Sequence[str]:
        """What the database mentions and that was never copied. Raises BackupError when it is nearly everything: a
        store that this user may not read looks empty."""
        mentioned = {str(key) for (key,) in connection.execute(MENTIONED)}
        found = sorted(mentioned - self.known - self.erased.keys())
        if len(found) * 2 > len(mentioned):
            raise BackupError(
                f"{len(found)} of the {len(mentioned)} files that the database mentions cannot be copied: is"
                " PORTAL_STORAGE_URL the portal's, and may this user read it?"
            )
        return found

    def _copy(self, store: Store, key: str) -> None:
        with closing(store.open(key)) as reader, self.vault.place.writing(name_of(key)) as written:
            for piece in pieces(reader):
                written.write(piece)

    def _note_erased(self, keys: Sequence[str], now: datetime) -> None:
        if keys:
            line = json.dumps({"at": now.isoformat(), "keys": list(keys)})
            self.vault.put(f"{_ERASED}/{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}", [line.encode()])
            self.erased |= dict.fromkeys(keys, now)

    def prune(self, before: datetime) -> int:
        """Remove copies of what was erased before any backup that is kept. Returns how many."""
        old = [key for key, at in self.erased.items() if at < before and key in self.known]
        for key in old:
            self.vault.place.remove(name_of(key))
            self.known.discard(key)
        return len(old)


def name_of(key: str) -> str:
    """Where an object's copy is: keys have no dot."""
    return f"{FILES}/{key.rpartition('/')[2][:2]}/{key.replace('/', '.')}"


def kept(vault: Vault) -> Iterator[str]:
    """The keys of all copies."""
    for folder in vault.place.names(FILES):
        for name in vault.place.names(f"{FILES}/{folder}"):
            yield name.replace(".", "/")


def read_erased(vault: Vault) -> Iterable[tuple[str, datetime]]:
    """Each object that was erased, and when that was seen. Raises BackupError."""
    for name in vault.place.names(_ERASED):
        noted = json.loads(b"".join(vault.get(f"{_ERASED}/{name}")))
        yield from ((key, datetime.fromisoformat(noted["at"])) for key in noted["keys"])
