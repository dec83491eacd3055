"""What differs per hospital: a row a setting, secrets sealed, and who changed it from what to what."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed, session


class EstablishmentSetting(Base):
    """What differs per hospital: door addresses, PayFiP client number, delays. A secret one is read by jobs and
    administrators only, and its value is sealed (`seal_secrets_with`)."""

    __tablename__ = "establishment_setting"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    secret: Mapped[bool] = mapped_column(default=False)

    @property
    def opened(self) -> str:
        """The value, whether it is sealed or not."""
        open_ = _seals.open_ if self.secret else None
        return open_(purpose_of(self.establishment_id, self.key), self.value) if open_ else self.value


class SettingChange(Keyed, Base):
    """A setting was given a value, or none any more. former, value: None when there was or is none, and when it is a
    secret, which no history keeps. by: as the audit names whoever did it."""

    __tablename__ = "establishment_setting_change"
    __table_args__ = (Index("ix_establishment_setting_change_of", "establishment_id", "key", "changed_at"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    key: Mapped[str]
    former: Mapped[str | None]
    value: Mapped[str | None]
    secret: Mapped[bool]
    by: Mapped[str]
    by_name: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


Seal = Callable[[str, str], str]
"""A purpose and a text → the text, sealed or opened; what was never sealed opens as it is."""


@dataclass
class _Seals:
    seal: Seal | None = None
    open_: Seal | None = None


_seals = _Seals()


def seal_secrets_with(seal: Seal, open_: Seal) -> None:
    """Keep secret settings sealed: whoever has the database alone opens no account with it."""
    _seals.seal, _seals.open_ = seal, open_


def setting(establishment_id: UUID, key: str, default: str = "") -> str:
    found = session.get(EstablishmentSetting, (establishment_id, key))
    return found.opened if found else default


def settings(establishment_id: UUID, keys: Collection[str]) -> dict[str, str]:
    """Several settings at once; "" for one that is not set."""
    rows = session.scalars(
        select(EstablishmentSetting).where(
            EstablishmentSetting.establishment_id == establishment_id, EstablishmentSetting.key.in_(keys)
        )
    )
    return dict.fromkeys(keys, "") | {row.key: row.opened for row in rows}


def purpose_of(establishment_id: UUID, key: str) -> str:
    """What the secret setting of a hospital is sealed for."""
    # A sealed value is good for this hospital and this setting: moved elsewhere, it does not open.
    return f"setting {establishment_id} {key}"


Check = Callable[[str, str], bool]
_checks: list[Check] = []


def check_setting_with(check: Check) -> None:
    """Ask this, given a key and a value, before a setting is written: it raises a ValueError, or returns whether the
    setting is a secret."""
    if check not in _checks:
        _checks.append(check)


def change_setting(establishment_id: UUID, key: str, value: str, *, secret: bool = False) -> None:
    """Set one setting of a hospital. Raises a ValueError when its value makes no sense."""
    for check in _checks:
        secret = check(key, value) or secret
    row = session.get(EstablishmentSetting, (establishment_id, key))
    secret = secret or (row is not None and row.secret)
    former = row.opened if row else None
    if row is None:
        row = EstablishmentSetting(establishment_id=establishment_id, key=key, value="", secret=secret)
        session.add(row)
    sealed = _seals.seal if secret else None
    row.value, row.secret = sealed(purpose_of(establishment_id, key), value) if sealed else value, secret
    session.flush()
    if former != value:
        _remember(row, former, value)


def remove_setting(establishment_id: UUID, key: str) -> None:
    """Let a hospital have no value of its own: what the portal does by default applies again."""
    row = session.get(EstablishmentSetting, (establishment_id, key))
    if row is not None:
        _remember(row, row.opened, None)
        session.delete(row)
        session.flush()


def _remember(row: EstablishmentSetting, former: str | None, value: str | None) -> None:
    if row.secret:
        former = value = None
    actor = db.current_actor()
    session.add(
        SettingChange(
            id=uuid4(), establishment_id=row.establishment_id, key=row.key, former=former, value=value,
            secret=row.secret, by=actor.label, by_name=actor.name, changed_at=db.now(),
        )
    )  # fmt: skip


def history(establishment_id: UUID, key: str = "", limit: int = 50) -> Sequence[SettingChange]:
    """Changes of one setting, or of them all, the newest first."""
    query = select(SettingChange).where(SettingChange.establishment_id == establishment_id)
    query = query.where(SettingChange.key == key) if key else query
    return session.scalars(query.order_by(SettingChange.changed_at.desc(), SettingChange.id).limit(limit)).all()
