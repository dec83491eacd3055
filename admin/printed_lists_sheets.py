"""A unit's lists of today and tomorrow on A4 sheets, for a desk that has paper and a telephone: appointments by
practitioner, expected admissions; locked with the hospital's own password (AES-256, PDF 2.0), which any reader opens.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Final
from uuid import UUID

import pikepdf
from flask_babel import force_locale
from flask_babel import gettext as _

from admin.pdf_tables import TableSheet
from portal.establishments import Unit
from portal.web.ui import long_day, short_day
from services.appointments.desk import wording as desk_words
from services.appointments.desk.agenda import Agenda, Visit
from services.appointments.wording import hospital_moment
from services.pieces import wording as piece_words
from services.pieces.models import Piece
from services.preadmission import wording as stay_words
from services.preadmission.office import wording as office_words
from services.preadmission.queries import Row

LANGUAGE: Final = "fr"
"""Of the hospitals' desks."""
_VISITS: Final = (12, 42, 25, 27, 37, 24)
_STAYS: Final = (42, 20, 24, 27, 26, 30)
_SIDE_MM: Final = 12
_REVISION: Final = 6  # AES-256 as ISO 32000-2 has it: readers of the last ten years open it


@dataclass(frozen=True)
class Day:
    """What is expected at a unit on a day. pieces: papers of each stay that are still to be shown, by its file."""

    day: date
    agendas: Sequence[Agenda]
    stays: Sequence[Row]
    pieces: Mapping[UUID, Sequence[Piece]]

    @property
    def visits(self) -> int:
        return sum(len(each.visits) for each in self.agendas)


class _Sheets(TableSheet):
    """Each page says whose list it is and when it was true."""

    size = 10.5
    has_numbers = False

    def __init__(self, unit: Unit, at: datetime) -> None:
        self._above = f"{unit.establishment.short_name or unit.establishment.name} – {unit.name} ({unit.uf})"
        self._state = _("State at %(moment)s", moment=hospital_moment(at, unit.establishment.tz))
        super().__init__(_("Lists of the day: %(unit)s", unit=unit.name), LANGUAGE, at)

    def header(self) -> None:
        with self._artifact():
            self.set_margins(_SIDE_MM, 24)
            for text, style, below in ((self._above, "B", 9.0), (self._state, "", 14.5)):
                self.set_xy(_SIDE_MM, below)
                self.take_up(style, 11)
                self.cell(0, 5, self.printable(text, style))
            self.set_xy(_SIDE_MM, 24)


def sheet(unit: Unit, days: Sequence[Day], at: datetime, password: str) -> bytes:
    """The PDF of a unit. at: when it was read, UTC."""
    with force_locale(LANGUAGE):
        made = _Sheets(unit, at)
        made.heading(_("Lists of the day: %(unit)s", unit=unit.name))
        made.say(_("To work without the portal. It holds health data: keep it at the unit, and destroy it afterwards."))
        for each in days:
            _write_day(made, each, unit)
        return _locked(made.written(), password)


def _write_day(made: _Sheets, day: Day, unit: Unit) -> None:
    said = desk_words.Said(unit.establishment.tz)
    made.heading(str(long_day(day.day)), 2)
    made.heading(_("Appointments (%(count)d)", count=day.visits), 3)
    for agenda in day.agendas:
        if agenda.visits:
            made.say(agenda.name, bold=True, size=11.5)
            made.write_table(_visit_head(), [_visit(each, said) for each in agenda.visits], _VISITS)
    if not day.visits:
        made.say(_("Nobody is expected."), size=11.5)
    made.heading(_("Admissions (%(count)d)", count=len(day.stays)), 3)
    if day.stays:
        made.write_table(_stay_head(), [_stay(each, day) for each in day.stays], _STAYS)
    else:
        made.say(_("Nobody is expected."), size=11.5)


def _visit_head() -> Sequence[str]:
    return _("Time"), _("Patient"), _("Born on"), _("Phone"), _("Reason"), _("State")


def _visit(visit: Visit, said: desk_words.Said) -> Sequence[str]:
    name = visit.name
    if visit.used_name and visit.used_name != visit.birth_name:
        name += f" ({_('born %(name)s', name=visit.birth_name)})"
    notes = [said.beyond] * visit.beyond + [said.masked] * visit.masked
    name = " – ".join((name, *notes)) + (f"\n{_('IPP')} {visit.number}" if visit.number else "")
    born, phone = said.day(visit.birth_on), said.phone(visit.mobile or "")
    return said.clock(visit.at), name, born, phone, visit.reason, said.steps[visit.step][0]


def _stay_head() -> Sequence[str]:
    return _("Patient"), _("Born on"), _("Reference"), _("Phone"), _("Kind of stay"), _("State, papers to show")


def _stay(row: Row, day: Day) -> Sequence[str]:
    file, person = row.file, row.file.patient
    name, born, phone = _("Secret stay"), "–", "–"
    if row.named:
        name = f"{person.used_name or person.birth_name} {person.first_name}"
        if person.used_name and person.used_name != person.birth_name:
            name += f" ({_('born %(name)s', name=person.birth_name)})"
        born, phone = str(short_day(person.birth_on)), desk_words.phone(person.mobile or "")
    missing = [str(piece_words.SHORT_KINDS[each.kind]) for each in day.pieces.get(file.id, ()) if _is_to_show(each)]
    state = str(stay_words.STATES[file.state][0]) + (f"\n{', '.join(missing)}" if missing else "")
    return name, born, file.reference, phone, str(office_words.STAY_KINDS[file.stay_kind]), state


def _is_to_show(piece: Piece) -> bool:
    return piece.state == "waived" or (piece.needed and piece.state != "accepted")


def _locked(content: bytes, password: str) -> bytes:
    """The same document, that nobody opens without the password; whoever does may print it and have it read aloud."""
    sealed = BytesIO()
    with pikepdf.open(BytesIO(content)) as document:
        owner = secrets.token_urlsafe(32)
        document.save(sealed, encryption=pikepdf.Encryption(owner=owner, user=password, R=_REVISION))
    return sealed.getvalue()
