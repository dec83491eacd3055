"""Finding a doctor by name and town, as people type them."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from stdnum import luhn

from portal.db import session
from services.preadmission.doctors.models import Doctor

MOST: Final = 20
SHORTEST: Final = 2


def key(typed: str) -> str:
    """Letters without accents nor case, one space between words: `Le Goff-Müller` is `le goff muller`."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", typed) if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[a-z0-9]+", bare.lower()))


def is_rpps(number: str) -> bool:
    """Eleven digits, the last of which checks the others (Luhn)."""
    return len(number) == 11 and number.isascii() and number.isdigit() and luhn.is_valid(number)


def found(name: str, town: str = "") -> Sequence[Doctor]:
    """At most `MOST`. name: begins a family name, or is a family name and a given one in any order. town: its start."""
    wanted = key(re.sub(r"(?i)^\s*(dr|docteur|doctor)\b\.?", "", name))
    if len(wanted) < SHORTEST:
        return []
    words, statement = wanted.split(), select(Doctor)
    # The key is "family given": the longest word leads to an index range, the others narrow it.
    turned = " ".join([*words[1:], words[0]])
    statement = statement.where(Doctor.name_key.startswith(wanted) | Doctor.name_key.startswith(turned))
    if town_key := key(town):
        statement = statement.where(Doctor.town_key.startswith(town_key))
    return session.scalars(statement.order_by(Doctor.name_key, Doctor.town_key).limit(MOST)).all()


def one(rpps: str, town: str = "") -> Doctor | None:
    """The doctor with this number, at this town rather than elsewhere."""
    if not is_rpps(rpps):
        return None
    places = session.scalars(select(Doctor).where(Doctor.rpps == rpps).order_by(Doctor.town_key)).all()
    return next((each for each in places if each.town_key == key(town)), places[0] if places else None)
