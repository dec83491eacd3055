"""Indicators of the room (domain catalogue, section 5.2): R1, R2a, R2b."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_BOOKED = "appointment_booked"


def declare() -> None:
    kpi.define(
        Definition(
            "R1",
            _l("Appointments booked online"),
            _l("Appointments created on the portal by patients, on the day they were created"),
            "",
            _booked_online,
            event=_BOOKED,
            service="appointments",
            events=("appointment_booked",),
            better="up",
            of_people=True,
        ),
        Definition(
            "R2a",
            _l("Rate of online appointments (reasons open online)"),
            _l("Appointments created on the portal by patients (R1)"),
            _l("Appointments created by any channel for reasons that are open online"),
            _rate_of_open_reasons,
            unit="rate",
            event=_BOOKED,
            service="appointments",
            events=("appointment_booked",),
            better="up",
            of_people=True,
        ),
        Definition(
            "R2b",
            _l("Rate of online appointments (all consultations)"),
            _l("Appointments created on the portal by patients (R1)"),
            _l("All appointments for outpatient consultations created in the hospital, by any channel"),
            _rate_of_all,
            unit="rate",
            missing=_l("The hospital’s totals are needed: no agenda feeds them yet."),
            service="appointments",
            events=("appointment_booked",),
            better="up",
            of_people=True,
        ),
    )


def _booked_online(period: Period) -> Figure:
    return Figure(kpi.counted(_BOOKED, period, channels=("web",)))


def _rate_of_open_reasons(period: Period) -> Figure:
    online = kpi.counted(_BOOKED, period, channels=("web",))
    return Figure(online, kpi.counted(_BOOKED, period, dimension="open_online"))


def _rate_of_all(period: Period) -> Figure:
    return Figure(kpi.counted(_BOOKED, period, channels=("web",)), None, fed=False)
