"""Erasing what is due, in batches, each with its proof; and what the storage still has."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, select

from portal import db, establishments, jobs
from portal.db import session
from portal.files import StoredFile
from portal.retention.holds import ONE_AT_A_TIME, holds_on
from portal.retention.models import RetentionProof
from portal.retention.registry import Due, Rule, life, rules

log = structlog.get_logger(__name__)

BATCH: Final = 100


@dataclass(frozen=True)
class Outcome:
    """What a rule would do, or has done, at a hospital (None: of no hospital). due: whose time is over, held ones
    included; a look ahead counts the first thousand."""

    rule: Rule
    establishment_id: UUID | None
    older_than: datetime
    due: int
    held: int
    erased: int = 0
    failed: int = 0


_LOOK_AHEAD: Final = 1000


def look(now: datetime, establishment_ids: Sequence[UUID]) -> Sequence[Outcome]:
    """What would go now, by rule and hospital: nothing is changed. As the system."""
    found = []
    for each, place in _pairs(establishment_ids):
        before = now - life(each, place)
        due = each.due(place, before, _LOOK_AHEAD)
        held = _held_among(due)
        found.append(Outcome(each, place, before, len(due), len(held)))
    return found


def run(now: datetime) -> Sequence[Outcome]:
    """Erase everything whose time is over, at every hospital. Each batch is a transaction of its own."""
    with db.transaction(db.system("retention.run")):
        places = [each.id for each in establishments.establishments()]
    return [_run_rule(each, place, now) for each, place in _pairs(places)]


def _pairs(places: Sequence[UUID]) -> Iterator[tuple[Rule, UUID | None]]:
    for each in rules():
        yield from [(each, None)] if each.of_portal else [(each, place) for place in places]


def _run_rule(rule: Rule, place: UUID | None, now: datetime) -> Outcome:
    with db.transaction(db.system("retention.run")):
        before = now - life(rule, place)
    due = held = erased = failed = 0
    while True:
        batch = _run_batch(rule, place, before)
        due, held = due + batch.erased + batch.failed, batch.held
        erased, failed = erased + batch.erased, failed + batch.failed
        # Held and failing things stay due: go on only while something goes.
        if not batch.erased or batch.due < BATCH:
            return Outcome(rule, place, before, due + held, held, erased, failed)


def _run_batch(rule: Rule, place: UUID | None, before: datetime) -> Outcome:
    with db.transaction(db.system(f"retention.{rule.code}")):
        session.execute(ONE_AT_A_TIME)
        found = rule.due(place, before, _LOOK_AHEAD)
        held = _held_among(found)
        wanted = [each for each in found if each.id not in held][:BATCH]
        gone, failed = [], 0
        for each in wanted:
            went = _purge(rule, each.id, before)
            gone += [each.id] if went else []
            failed += went is None
        if gone or failed:
            _prove(rule, place, before, gone, len(held), failed)
        return Outcome(rule, place, before, len(wanted), len(held), len(gone), failed)


def _purge(rule: Rule, thing_id: UUID, before: datetime) -> bool | None:
    """None when it could not be erased: one that resists does not keep the others."""
    try:
        with session.begin_nested():
            return rule.purge(thing_id, before)
    except Exception as error:  # whatever its room raised: told, and tried again the next night
        log.error("retention.failed", rule=rule.code, error=type(error).__name__)
        return None


def _held_among(found: Sequence[Due]) -> frozenset[UUID]:
    subjects = frozenset().union(*({each.id} | each.subjects for each in found)) if found else frozenset()
    held = {each.subject_id for each in holds_on(subjects)} if subjects else set()
    return frozenset(each.id for each in found if held & ({each.id} | each.subjects))


def _prove(
    rule: Rule, place: UUID | None, before: datetime, gone: Sequence[UUID], held: int, failed: int
) -> None:  # fmt: skip
    session.add(
        RetentionProof(
            id=uuid4(),
            establishment_id=place,
            rule=rule.code,
            older_than=before,
            erased=len(gone),
            held=held,
            failed=failed,
            digest=digest(gone),
            actor=db.current_actor().label,
        )
    )
    session.flush()


def digest(ids: Sequence[UUID]) -> bytes:
    """SHA-256 of the ids, sorted, one a line: whoever kept them can check what a proof covers."""
    return hashlib.sha256("\n".join(sorted(map(str, ids))).encode()).digest()


def proofs(establishment_ids: frozenset[UUID], limit: int = 50) -> Sequence[RetentionProof]:
    """The last batches, those of no hospital included."""
    return session.scalars(
        select(RetentionProof)
        .where(RetentionProof.establishment_id.in_(establishment_ids) | RetentionProof.establishment_id.is_(None))
        .order_by(RetentionProof.at.desc(), RetentionProof.id)
        .limit(limit)
    ).all()


# -- the storage -------------------------------------------------------------------------------------------------------

STORAGE: Final = "storage"
"""The rule named by the proofs of bytes that the storage had not erased yet."""


def not_erased_yet() -> int:
    """Files that nobody may open any more and whose bytes the storage may still have. As the system."""
    return session.scalar(select(func.count()).select_from(StoredFile).where(StoredFile.state == "erased")) or 0


def ask_storage_again() -> int:
    """Ask once more for the erasure of every file that is still there; returns how many. As the system."""
    waiting = session.scalars(select(StoredFile.id).where(StoredFile.state == "erased").limit(_LOOK_AHEAD)).all()
    for file_id in waiting:
        jobs.enqueue("files.erase", file_id=str(file_id))
    if waiting:
        log.error("retention.storage_still_has", files=len(waiting))
        session.add(
            RetentionProof(
                id=uuid4(),
                rule=STORAGE,
                older_than=db.now(),
                erased=0,
                held=0,
                failed=len(waiting),
                digest=digest(waiting),
                actor=db.current_actor().label,
            )
        )
        session.flush()
    return len(waiting)


@jobs.periodic("37 2 * * *", "retention.run")
def run_nightly() -> None:
    """Late or repeated, it erases nothing twice. The storage is asked first for what it still had from yesterday."""
    with db.transaction(db.system("retention.run")):
        ask_storage_again()
    run(db.now())
