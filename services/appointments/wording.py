"""How the room says days, times and codes. Times are the hospital's wall clock, never the browser's or the server's."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from flask import Flask
from flask_babel import format_time, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import long_day
from services.appointments.slots import FreeSlot

PARIS = ZoneInfo("Europe/Paris")
NOON = 12

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
STATES = {"booked": _l("Booked"), "cancelled": _l("Cancelled")}
TONES = {"booked": "success", "cancelled": "neutral"}
CHANNELS = {"web": _l("Online"), "phone": _l("Phone")}


def register(app: Flask) -> None:
    filters = {"hospital_day": hospital_day, "hospital_time": hospital_time, "hospital_moment": hospital_moment}
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(
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
