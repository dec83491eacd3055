"""What the home page's search finds: no personal data, hospitals' own public names only."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Practitioner, Unit, goes_on, today_at


@dataclass(frozen=True)
class Found:
    practitioners: Sequence[Practitioner]
    units: Sequence[Unit]


def results(wanted: str) -> Found:
    """Units and practitioners of the group that match every word, accents and case aside."""
    words = _fold(wanted).split()
    practitioners = session.scalars(
        select(Practitioner)
        .where(goes_on(Practitioner.leaves_on, today_at(Practitioner.establishment_id)))
        .options(joinedload(Practitioner.unit).joinedload(Unit.establishment))
        .order_by(Practitioner.family_name)
    ).all()
    units = session.scalars(
        select(Unit)
        .where(goes_on(Unit.closes_on, today_at(Unit.establishment_id)))
        .options(joinedload(Unit.establishment), joinedload(Unit.site))
        .order_by(Unit.name)
    ).all()
    return Found(
        [one for one in practitioners if _holds(f"{one.full_name} {one.speciality} {one.unit.name}", words)],
        [one for one in units if _holds(f"{one.name} {one.establishment.name}", words)],
    )


def _holds(text: str, words: Sequence[str]) -> bool:
    folded = _fold(text)
    return all(word in folded for word in words)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
