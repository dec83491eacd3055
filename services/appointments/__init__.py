"""The appointments room: choose a unit, a reason and a time, book, come, or give the time back."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.mandates import masking
from auth.mandates.masking import Maskable
from auth.wording import say
from portal import catalog
from portal.catalog import Card, Group
from services.appointments import (  # noqa: F401 - jobs registers
    affairs,
    agendas,
    api,
    belongings,
    booking_links,
    circle,
    city,
    desk,
    digest,
    exchanges,
    export,
    feed,
    figures,
    guests,
    jobs,
    journal,
    kiosk,
    links,
    occasions,
    outside,
    pathways,
    reasons,
    reminders,
    requests,
    routes_patient,
    routes_public,
    rush,
    waiting,
    wording,
)
from services.appointments.models import Appointment
from services.appointments.outside.commands import import_
from services.appointments.wishes import wording as wishes_wording

STAFF_MENU = Group(_l("Appointments"), "calendar-days")
"""Every screen of the staff about appointments is under this entry of their menu."""


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, card, figures."""
    say(journal.WORDS)
    app.register_blueprint(routes_public.pages)
    for each in (booking_links, affairs, guests, belongings, export, occasions, circle):
        each.declare()
    app.register_blueprint(routes_patient.pages)
    wording.register(app)
    exchanges.register()
    for noun in (desk, agendas, links, reminders, feed, api, city, wishes_wording, requests, waiting, pathways, rush):
        noun.register(app)
    kiosk.register(app)
    figures.declare()
    digest.declare()
    outside.register()
    reasons.register(app)
    page, desk_page = ("my_appointments.show", "appointment_id"), ("admin_appointments.show", "appointment_id")
    masking.offer(Maskable("appointment", Appointment, "appointments", page, desk_page))
    catalog.offer(
        Card(
            code="appointments",
            title=_l("Appointments"),
            text=_l("Book a consultation, see what is planned, cancel in time for somebody else."),
            icon="calendar-days",
            endpoint="my_appointments.mine",
            staff_title=_l("List of the day"),
            staff_endpoint="admin_appointments.day",
            right="appointments",
            group=STAFF_MENU,
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return [*exchanges.for_operators(), import_]
