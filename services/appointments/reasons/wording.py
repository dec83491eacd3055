"""How a reason is said to patients."""

from flask import Flask
from flask_babel import gettext as _

from services.appointments.models import Reason
from services.pieces.wording import KINDS


def register(app: Flask) -> None:
    """Give pages the words."""
    app.jinja_env.globals.update(papers_to_bring=KINDS)
    app.jinja_env.filters["ages"] = ages


def ages(reason: Reason) -> str:
    """`From 6 to 15 years old`; empty when anybody may come."""
    youngest, oldest = reason.min_age, reason.max_age
    if youngest is not None and oldest is not None:
        return str(_("From %(from)d to %(to)d years old", **{"from": youngest, "to": oldest}))
    if youngest is not None:
        return str(_("From %(from)d years old", **{"from": youngest}))
    return str(_("Until %(to)d years old", to=oldest)) if oldest is not None else ""
