"""What a companion is given to read: composed from the file, of which they see nothing else."""

from collections.abc import Mapping

from babel.dates import format_date
from flask_babel import get_locale

from portal.db import session
from services.preadmission.companions.models import Companion
from services.preadmission.companions.texts import ACTS, Act
from services.preadmission.models import Preadmission


def compose(companion: Companion, act: Act | None = None, locale: str = "") -> str:
    """The text of this act for this person, in this language (the page's by default). Neither the unit nor the reason
    of the stay is in it. Whoever asks may read the file."""
    language = locale or current_language()
    return (act or ACTS[companion.role]).words(facts_of(companion, language), language)


def facts_of(companion: Companion, language: str) -> Mapping[str, str]:
    """What the text says of this stay, as it is written in this language."""
    preadmission = session.get_one(Preadmission, companion.preadmission_id)
    return {
        "patient": f"{preadmission.patient.first_name} {preadmission.patient.birth_name}",
        "born": format_date(preadmission.patient.birth_on, "long", locale=language),
        "place": preadmission.establishment.name,
        "day": format_date(preadmission.planned_on, "long", locale=language),
        "signer": companion.full_name,
    }


def current_language() -> str:
    """Of the page, French outside a page."""
    return str(get_locale() or "fr")
