"""What a terminal says to somebody, in words that a whole hall may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

import segno
from flask import Flask
from flask_babel import format_date
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from services.appointments.kiosk import codes, queries
from services.appointments.models import Appointment


@dataclass(frozen=True)
class Answer:
    """title, text: lazily translated. tone: of `ui.notice`. goes_on: whether the person goes to the unit."""

    title: Any
    text: Any
    tone: str = "warning"
    goes_on: bool = False


_DESK = _l("Go to the desk: somebody helps you.")
ANSWERS: Mapping[str, Answer] = {
    "welcome": Answer(_l("The unit knows that you are here"), _l("Take a seat there: somebody will call you."),
                      "success", goes_on=True),
    "already": Answer(_l("The unit already knows that you are here"), _l("Take a seat there: somebody will call you."),
                      "success", goes_on=True),
    "cancelled": Answer(_l("This appointment is cancelled"), _DESK),
    "over": Answer(_l("This appointment is over"), _DESK),
    "remote": Answer(_l("This appointment is by video"), _l("You join it from home. Go to the desk if you need help.")),
    "other_hospital": Answer(_l("This appointment is at another hospital"), _DESK),
    "other_day": Answer(_l("This appointment is on another day"), _DESK),
    "other_unit": Answer(_l("Another place waits for you"), _l("This terminal does not serve it: go there and tell them"
                         " that you are here."), "info", goes_on=True),
    "early": Answer(_l("You are early"), _l("Come back to this terminal a little later, or go to the desk.")),
    "late": Answer(_l("The time of your appointment has passed"), _l("Go to the desk at once: somebody sees what can be"
                   " done.")),
}  # fmt: skip
"""Of rules.VERDICTS."""


def register(app: Flask) -> None:
    app.jinja_env.globals.update(arrival_code=drawn, is_served_by_kiosk=queries.served)


def months() -> Sequence[tuple[str, str]]:
    """1 to 12, in the reader's language."""
    return [(str(number), str(format_date(date(2001, number, 1), "LLLL"))) for number in range(1, 13)]


def drawn(appointment: Appointment) -> Markup:
    """The code of an appointment as a square to scan: drawn in the page, asked of nobody."""
    made = BytesIO()
    segno.make(codes.code_of(appointment.id), error="m").save(
        made, kind="svg", scale=5, border=4, xmldecl=False, svgclass=None, lineclass=None
    )
    return Markup(made.getvalue().decode())  # noqa: S704 - drawn here, from a code of ours
