"""Files of bills that were read at night and by hand, so that their pages show something."""

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

from portal import db
from portal.db import session
from services.billing.imports.models import BillImport, BillImportPlace, BillImportRemark
from tests.factories.demonstration import World

_REASONS = (
    ("refused", 14, "2026-004512", "issued_on: a day as YYYY-MM-DD"),
    ("refused", 87, "2026-004585", "access_key: too easy to guess, 40 random bits at least (8 letters and digits)"),
    ("refused", 311, "2026-004809", "amo_cents, amc_cents and due_cents add up to more than total_cents"),
    ("noticed", 402, "2026-003977", "due_cents: 3000, less than what was paid (4520) or is being paid (0)"),
    ("noticed", 655, "2026-004001", "closed: not closed, money came in on the portal or may any minute"),
)


def demonstrate(world: World) -> None:
    """A night, a file of titres, one that an agent sent, and one that was no file of bills."""
    north, south = world.north.establishment.id, world.south.establishment.id
    agent = world.agents["billing-agent"]
    night = _file("factures-nuit.csv", "csv", 14, {north: (412, 18, 9231, 3), south: (120, 2, 3310, 0)}, refused=2)
    _remark(night, north)
    session.add(_said(night, None, "refused", 9, "", "finess: no hospital of yours has the number 123456789"))
    titles = _file("PES_ALLER_REC_221_00_2026.xml", "pes", 40, {north: (37, 0, 0, 0)}, left_out=212)
    session.add(
        _said(titles, north, "refused", 5120, "8812", "it reduces or cancels the titre 2026/8790: look at that bill")
    )
    _file("factures-externes.csv", "csv", 90, {north: (25, 1, 0, 0)}, account=(agent.id, agent.name))
    _file(
        "budget.csv",
        "csv",
        95,
        {},
        account=(agent.id, agent.name),
        why="missing columns: source, exer",
    )
    session.flush()


def _file(
    name: str,
    kind: str,
    hours_ago: int,
    places: dict[UUID, tuple[int, int, int, int]],
    *,
    refused: int = 0,
    left_out: int = 0,
    account: tuple[UUID, str] | None = None,
    why: str = "",
) -> BillImport:
    at = db.now() - timedelta(hours=hours_ago)
    made = BillImport(
        id=uuid4(), file_name=name, kind=kind, digest=hashlib.sha256(name.encode()).digest(), size=1_200_000,
        actor=db.current_actor().label, actor_name=account[1] if account else "",
        account_id=account[0] if account else None, began_at=at, ended_at=at + timedelta(seconds=4),
        state="stopped" if why else "done", why=why, refused=1 if refused else 0,
    )  # fmt: skip
    session.add(made)
    session.flush()
    for place, (added, changed, unchanged, closed) in places.items():
        session.add(
            BillImportPlace(
                import_id=made.id, establishment_id=place, added=added, changed=changed, unchanged=unchanged,
                closed=closed, refused=refused, left_out=left_out,
            )
        )  # fmt: skip
    return made


def _remark(made: BillImport, place: UUID) -> None:
    for kind, line, reference, why in _REASONS:
        session.add(_said(made, place, kind, line, reference, why))


def _said(made: BillImport, place: UUID | None, kind: str, line: int, reference: str, why: str) -> BillImportRemark:
    return BillImportRemark(
        id=uuid4(), import_id=made.id, establishment_id=place, kind=kind, line=line, reference=reference, why=why
    )
