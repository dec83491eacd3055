"""How the room says days, times and codes. Times are the hospital's wall clock, never the browser's or the server's."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from flask import Flask, current_app, url_for
from flask_babel import format_date, format_time, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal import db
from portal.establishments import Unit
from portal.web.ui import long_day
from services.appointments import states
from services.appointments.models import AppointmentChange
from services.appointments.queries import Offer
from services.appointments.slots import FreeSlot

PARIS = ZoneInfo("Europe/Paris")
NOON = 12
_REQUESTS = "requests.new"

CANCEL_REASONS = {
    "unavailable": _l("I am not available at that time"),
    "not_needed": _l("I no longer need it"),
    "seen_elsewhere": _l("I was seen elsewhere, or sooner"),
    "other": _l("Another reason"),
    "patient_asked": _l("The patient asked"),
    "practitioner_absent": _l("The practitioner is absent"),
    "unit_closed": _l("The unit is closed"),
    "entered_by_mistake": _l("Entered by mistake"),
}
STATES = {
    "booked": _l("Booked"),
    "arrived": _l("Arrived"),
    "done": _l("Seen"),
    "missed": _l("Missed"),
    "cancelled": _l("Cancelled"),
}
TONES = {"booked": "success", "arrived": "info", "done": "neutral", "missed": "warning", "cancelled": "neutral"}
CHANNELS = {"web": _l("Online"), "phone": _l("Phone"), "city": _l("By your practitioner"), "walk_in": _l("On the spot")}
PARTS_OF_DAY = {
    "morning": _l("Morning (before noon)"),
    "afternoon": _l("Afternoon"),
    "evening": _l("Evening (from 5 p.m.)"),
}


def register(app: Flask) -> None:
    filters = {"hospital_day": hospital_day, "hospital_time": hospital_time, "hospital_moment": hospital_moment}
    app.jinja_env.filters.update(filters)
    app.jinja_env.filters.update(month_name=month_name)
    app.jinja_env.globals.update(
        change_in_words=change_in_words,
        page_if=page_if,
        request_page=request_page,
        minutes_left=minutes_left,
        parts_of_day=PARTS_OF_DAY,
        hospital_zone=hospital_zone,
        appointment_states=STATES,
        appointment_tones=TONES,
        appointment_channels=CHANNELS,
        cancel_reasons=CANCEL_REASONS,
    )


def hospital_day(at: datetime, tz: tzinfo) -> str:
    """`lundi 23 novembre 2026`."""
    return day_in_words(at.astimezone(tz).date())


def day_in_words(day: date) -> str:
    return long_day(day)


def hospital_time(at: datetime, tz: tzinfo) -> str:
    """`09:30`."""
    return str(format_time(at.astimezone(tz), "short", rebase=False))


def hospital_moment(at: datetime, tz: tzinfo) -> str:
    """`lundi 23 novembre 2026 à 09:30`."""
    return str(_("%(day)s at %(time)s", day=hospital_day(at, tz), time=hospital_time(at, tz)))


def hospital_zone(tz: ZoneInfo) -> str:
    """`heure : Réunion` for a hospital that does not live by Paris time; nothing for the others."""
    if tz.key == PARIS.key:
        return ""
    place = get_timezone_location(tz, locale=get_locale(), return_city=True)
    return str(_("local time: %(place)s", place=place))


def repeated(at: datetime, tz: tzinfo) -> str:
    """Tells the second 02:30 of an autumn night from the first."""
    return str(_("after the clocks go back")) if at.astimezone(tz).fold else ""


def change_in_words(change: AppointmentChange) -> str:
    """What happened: a move is told from a booking."""
    is_move = change.from_state == change.to_state == states.BOOKED
    return str(_("Moved")) if is_move else str(STATES[change.to_state])


def month_name(day: date) -> str:
    """`novembre 2026`."""
    return str(format_date(day, "MMMM y"))


def minutes_left(until: datetime) -> str:
    """How long something is still kept, in words; a begun minute counts."""
    minutes = max(1, -((db.now() - until) // timedelta(minutes=1)))
    return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))


def request_page(**arguments: Any) -> str:
    """Where one asks the hospital for an appointment that is not booked online; "" where that is not offered."""
    return page_if(_REQUESTS, **arguments)


def page_if(endpoint: str, **arguments: Any) -> str:
    """The address of a page that another part of the room may have; "" when it has not."""
    return url_for(endpoint, **arguments) if endpoint in current_app.view_functions else ""


def offers(found: Iterable[Offer], *, with_names: bool, with_places: bool) -> list[dict[str, Any]]:
    """Free times as `ui.slot_picker` wants them: each on the day and at the hour of its own hospital's clock.

    with_names: say whom one would see; with_places: say where, when several places are looked at.
    """
    days: dict[date, dict[str, Any]] = {}
    time_of = cache(hospital_time)
    for each in found:
        local = each.at.astimezone(each.tz)
        if local.date() not in days:
            days[local.date()] = {"label": day_in_words(local.date()), "morning": [], "afternoon": []}
        details = (
            each.practitioner if with_names else "",
            place_in_short(each.reason.unit) if with_places else "",
            repeated(each.at, each.tz),
        )
        days[local.date()]["morning" if local.hour < NOON else "afternoon"].append(
            {"value": str(each.slot), "label": time_of(each.at, each.tz), "detail": ", ".join(filter(None, details))}
        )
    return list(days.values())


def place_in_short(unit: Unit) -> str:
    """The town, or the place's name when it has none."""
    return unit.site.town or unit.site.name


def picker(found: Iterable[FreeSlot], tz: tzinfo, *, with_names: bool) -> list[dict[str, Any]]:
    """Free times as `ui.slot_picker` wants them: days, each with a morning and an afternoon.

    with_names: say whom one would see, when there are several.
    """
    days: dict[date, dict[str, Any]] = {}
    # Many practitioners have the same times: words are found once for each day and each moment.
    time_of = cache(partial(hospital_time, tz=tz))
    for each in found:
        local = each.at.astimezone(tz)
        if local.date() not in days:
            days[local.date()] = {"label": day_in_words(local.date()), "morning": [], "afternoon": []}
        day = days[local.date()]
        details = (each.practitioner if with_names else "", repeated(each.at, tz))
        day["morning" if local.hour < NOON else "afternoon"].append(
            {
                "value": str(each.slot),
                "label": time_of(each.at),
                "detail": ", ".join(filter(None, details)),
            }
        )
    return list(days.values())
