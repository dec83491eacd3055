"""A confirmation to print or to keep on a telephone: when, where, and the code to scan in the hall (tagged PDF)."""

from datetime import datetime
from io import BytesIO

import segno
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.pdf import Sheet
from services.appointments.kiosk import codes
from services.appointments.models import Appointment
from services.appointments.wording import hospital_moment, hospital_time

_QR_MM = 42


def confirmation(appointment: Appointment, at: datetime, *, with_code: bool) -> bytes:
    """The whole PDF, in the language of the page. with_code: a terminal of the hospital takes it."""
    when = hospital_moment(appointment.start_at, appointment.tz)
    title = _("Appointment on %(when)s", when=when)
    sheet = Sheet(title, str(get_locale() or "fr"), at)
    sheet.heading(title)
    sheet.facts(_facts(appointment, when))
    if not appointment.reason.is_remote:
        sheet.heading(_("How to come"), 2)
        sheet.facts(_place(appointment))
    if appointment.reason.instructions.strip():
        sheet.heading(_("How to prepare"), 2)
        for line in filter(None, map(str.strip, appointment.reason.instructions.splitlines())):
            sheet.say(line)
    if with_code:
        _code(sheet, appointment)
    sheet.say(_("Something changes? Move or cancel it on the portal, or call: somebody else can have this time."))
    return sheet.written()


def _facts(appointment: Appointment, when: str) -> list[tuple[str, str]]:
    be_there = appointment.be_there_at
    rows = [
        (_("For"), appointment.patient.full_name),
        (_("When"), when),
        (_("Be there at"), hospital_time(be_there, appointment.tz) if be_there != appointment.start_at else ""),
        (_("Consultation"), f"{appointment.unit.name} – {appointment.reason.name}"),
        (_("With"), appointment.practitioner.full_name),
        (_("Reference"), appointment.reference),
    ]
    return [(label, value) for label, value in rows if value]


def _place(appointment: Appointment) -> list[tuple[str, str]]:
    site, unit = appointment.site, appointment.unit
    rows = [
        (_("Hospital"), appointment.establishment.name),
        (_("Address"), f"{site.name}, {site.address}" if site.address else site.name),
        (_("Floor"), unit.floor),
        (_("Access"), site.access),
        (_("Telephone"), unit.phone or appointment.establishment.phone),
    ]
    return [(label, value) for label, value in rows if value]


def _code(sheet: Sheet, appointment: Appointment) -> None:
    sheet.heading(_("When you arrive"), 2)
    sheet.say(
        _("Show this code to a terminal of the hall, or type the reference there: the unit knows that you are there.")
    )
    sheet.ln(2)
    if sheet.will_page_break(_QR_MM):
        sheet.add_page()
    made = BytesIO()
    segno.make(codes.code_of(appointment.id), error="m").save(made, kind="png", scale=8, border=4)
    made.seek(0)
    sheet.image(made, w=_QR_MM, h=_QR_MM, alt_text=_("Code to scan at a terminal of the hall"))
    sheet.ln(2)
