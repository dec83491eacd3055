"""What each room says of how long it keeps things."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import select

from portal import audit, establishments
from portal.db import session
from portal.establishments import EstablishmentSetting

Row = TypeVar("Row")

LONGEST_DAYS: Final = 3650


@dataclass(frozen=True)
class Due:
    """One thing whose time is over. subjects: on what a hold keeps it (itself, its file, its patient)."""

    id: UUID
    subjects: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Rule:
    """title, why: translatable texts. days: kept by default; a hospital may say otherwise between `least` and `most`,
    by its setting `retention_<code>`. due: what of a hospital (None: of none) is older than a moment, `limit` at most.
    purge: erases one thing, looked at again under its lock; False when it is not due any more. of_portal: it belongs
    to no hospital.
    """

    code: str
    title: Any
    why: Any
    days: int
    due: Callable[[UUID | None, datetime, int], Sequence[Due]]
    purge: Callable[[UUID, datetime], bool]
    least: int = 1
    most: int = LONGEST_DAYS
    of_portal: bool = False

    @property
    def setting(self) -> str:
        return f"retention_{self.code}"


_rules: dict[str, Rule] = {}


def offer(*rules: Rule) -> None:
    """Add rules; a room declares its own."""
    _rules.update({rule.code: rule for rule in rules})


def deleting(model: type[Row], since: Callable[[Row], date]) -> Callable[[UUID, datetime], bool]:
    """What a rule purges a row of this table with: looked at again under its lock, and gone. since: the moment or the
    day that its life is counted from."""

    def purge(row_id: UUID, before: datetime) -> bool:
        row = session.get(model, row_id, with_for_update={"key_share": True}, populate_existing=True)
        if row is None:
            return False
        begun = since(row)
        if begun >= (before if isinstance(begun, datetime) else before.date()):
            return False
        session.delete(row)
        session.flush()
        return True

    return purge


def rules() -> Sequence[Rule]:
    """Every rule, in the order it was offered."""
    return list(_rules.values())


def rule(code: str) -> Rule:
    """Raises KeyError."""
    return _rules[code]


class NotALife(ValueError):
    """The number of days is not one that the rule allows."""


def life(rule: Rule, establishment_id: UUID | None) -> timedelta:
    """How long it is kept at this hospital."""
    chosen = establishments.setting(establishment_id, rule.setting) if establishment_id else ""
    return timedelta(days=int(chosen) if _is_life(rule, chosen) else rule.days)


def lives(establishment_id: UUID, codes: Sequence[str]) -> Sequence[tuple[Rule, timedelta]]:
    """How long each of these is kept at this hospital, in one statement."""
    wanted = {rule(code).setting: rule(code) for code in codes}
    found = session.execute(
        select(EstablishmentSetting.key, EstablishmentSetting.value).where(
            EstablishmentSetting.establishment_id == establishment_id, EstablishmentSetting.key.in_(wanted)
        )
    )
    chosen: dict[str, str] = dict(found.all())
    return [
        (each, timedelta(days=int(value) if _is_life(each, value := chosen.get(key, "")) else each.days))
        for key, each in wanted.items()
    ]


def change_life(rule: Rule, establishment_id: UUID, days: int) -> None:
    """Raises NotALife."""
    if not _is_life(rule, str(days)):
        raise NotALife(days)
    establishments.change_setting(establishment_id, rule.setting, str(days))
    audit.record(
        "retention.changed", establishment_id=establishment_id, object_kind="establishment",
        object_id=establishment_id, rule=rule.code, days=days,
    )  # fmt: skip


def _is_life(rule: Rule, written: str) -> bool:
    return written.isdecimal() and len(written) < 6 and rule.least <= int(written) <= rule.most
