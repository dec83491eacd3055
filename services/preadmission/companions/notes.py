"""What the page of a file says about signatures."""

from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext as _

from services.preadmission import queries as preadmission_queries
from services.preadmission.additions import Note
from services.preadmission.companions import reading, wording
from services.preadmission.models import OPEN_STATES, Preadmission
from services.preadmission.states import READY


def on_file(file: Preadmission) -> Sequence[Note]:
    """One word about the authorisation, one about the person of trust; nothing when there is neither."""
    if file.state not in (*OPEN_STATES, *READY):
        return []
    return [*_theatre(file), *_trust(file)]


def _theatre(file: Preadmission) -> list[Note]:
    found = reading.theatre(file, preadmission_queries.answers_of(file.id)) if reading.is_minors(file) else None
    if found is None or found.standing == "" or not found.holders:
        return []
    title, tone, text = wording.STANDINGS[found.standing]
    title = _("Authorisation to operate: %(state)s", state=title)
    kind = {"danger": "warning"}.get(tone, tone)
    return [Note(kind, title, text, _address(file), _("See who signs"))]


def _trust(file: Preadmission) -> list[Note]:
    found = reading.trusted(file) if not reading.is_minors(file) else None
    if found is None:
        return []
    name = found.companion.full_name
    if found.is_whole:
        return [Note("success", _("%(name)s is your person of trust", name=name), "", _address(file), _("See"))]
    if found.companion.state == "declined":
        text = _("You may name somebody else.")
        return [Note("warning", _("%(name)s does not accept", name=name), text, _address(file), _("See"))]
    text = _("You both sign: it takes a minute.")
    return [Note("info", _("Person of trust: a signature is awaited"), text, _address(file), _("See who signs"))]


def _address(file: Preadmission) -> str:
    return url_for("signatures.overview", preadmission_id=file.id)


def at_desk(file: Preadmission) -> Sequence[Note]:
    """What an agent must know of signatures; nothing when all is well."""
    address = url_for("admin_companions.show", preadmission_id=file.id)
    if not reading.is_minors(file):
        found = reading.trusted(file)
        if found is None or found.is_whole:
            return []
        title = _("Person of trust: %(name)s", name=found.companion.full_name)
        return [Note("info", title, _("Not signed by both yet."), address, _("Signatures"))]
    theatre = reading.theatre(file, preadmission_queries.answers_of(file.id))
    if theatre.is_ready or not theatre.holders:
        return []
    title, tone, _text = wording.STANDINGS[theatre.standing]
    kind = {"danger": "warning"}.get(tone, tone)
    return [Note(kind, _("Authorisation to operate: %(state)s", state=title), "", address, _("Signatures"))]
