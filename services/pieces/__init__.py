"""Pieces: a document asked of a patient or deposited by them, and its life cycle.

A room below the others: what asks for pieces (a pre-admission today) imports this one, which knows none of them.
"""

from collections.abc import Iterator

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from auth.wording import say
from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import share
from services.pieces import jobs, journal  # noqa: F401 - registers its tasks


def _deposited(period: Period) -> Figure:
    return Figure(kpi.counted("piece_deposited", period))


def _accepted(period: Period) -> Figure:
    accepted = kpi.counted("piece_accepted", period)
    return Figure(accepted, accepted + kpi.counted("piece_refused", period))


_partials = Blueprint("pieces", __name__, template_folder="templates")
"""No page of its own: partials, which the rooms above show in theirs."""


def register(app: Flask) -> None:
    """Offer the partials, and declare the figures of this room (domain catalogue, section 5.2)."""
    say(journal.WORDS)
    app.register_blueprint(_partials)
    kpi.define(*_of_deposits(), *_of_decisions())


def _of_deposits() -> Iterator[Definition]:
    yield Definition(
        "D1",
        _l("Pieces deposited"),
        _l("Pieces that patients sent and the antivirus accepted, counted on the day it accepted them"),
        "",
        _deposited,
        event="piece_deposited",
        service="documents",
        events=("piece_deposited",),
        better="up",
        of_people=True,
    )


def _of_decisions() -> tuple[Definition, ...]:
    return (
        Definition(
            "D2",
            _l("Pieces accepted"),
            _l("Pieces that agents accepted"),
            _l("Pieces that agents accepted or refused"),
            _accepted,
            unit="rate",
            event="piece_accepted",
            service="documents",
            events=("piece_accepted", "piece_refused"),
            better="up",
            of_people=True,
        ),
        Definition(
            "P6a",
            _l("Pieces refused"),
            _l("Pieces that agents refused, for any reason"),
            _l("Pieces that agents accepted or refused"),
            share("piece_refused", "piece_refused", "piece_accepted"),
            unit="rate",
            event="piece_refused",
            service="preadmission",
            events=("piece_refused", "piece_accepted", "piece_refused_because"),
            better="down",
            of_people=True,
        ),
    )
