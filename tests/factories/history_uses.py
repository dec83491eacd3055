"""The demonstration's past, continued: outcomes, delays, readings, acts, links, security; and the hospitals' totals."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from portal.calendar import is_business_day
from portal.kpi.hospital_totals import Entry

Row = dict[str, Any]
_STAFF, _SYSTEM = {"audience": "staff"}, {"audience": "system"}
_SLICES = ("le_1h", "le_2h", "le_4h", "le_4h", "le_1d", "le_1d", "le_1d", "le_2d", "le_3d", "le_5d")
_USED = {"appointments": 6.0, "preadmission": 3.0, "billing": 2.5, "documents": 4.0, "messages": 1.5,
         "questionnaires": 2.0}  # fmt: skip
_REASONS = ("unreadable", "unreadable", "out_of_date", "side_missing", "wrong_document", "other_person")
_DAILY = {"consultations_booked": 26, "open_reasons_booked": 19, "stays_planned": 11, "bills_issued": 17}
"""What a hospital tells of a working day."""
_MEAN_BILL = 3_100


def at_a_hospital(chance: Random, place: UUID, day: date, busy: float) -> Iterator[Row]:
    """The events of one day of one hospital."""
    for row in (*_visits(chance, busy), *_delays(chance, busy), *_stays(chance, busy), *_threads(chance, busy),
                *_links(chance, busy), *_attendance(chance)):  # fmt: skip
        yield {"establishment_id": place} | row
    yield from opinions(chance, place, busy)
    for service, usual in _USED.items():
        for _each in range(_some(chance, usual * busy)):
            whose = "proxy" if chance.random() < 0.12 else "own"
            yield {
                "event": f"{service}_used",
                "establishment_id": place,
                "dimension": whose,
                "pseudonym": f"{day:%Y-%m}-patient-{chance.randrange(600)}",
            }
    for _each in range(_some(chance, 1.2 * busy)):
        pseudonym = f"{day:%Y-%m}-professional-{chance.randrange(45)}"
        made = {"event": "referrals_used", "establishment_id": place, "dimension": "own", "pseudonym": pseudonym}
        yield made | {"audience": "professional"}


def opinions(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """Questions shown after a service, answers, and who was satisfied; and what people asked help for."""
    for event in ("bill_question_asked", "link_asked"):
        for _each in range(_some(chance, 0.4 * busy)):
            yield {"event": event, "establishment_id": place}
    for service, usual in (*_USED.items(), ("referrals", 1.2)):
        for _each in range(_some(chance, usual * busy * 0.6)):
            told = {"establishment_id": place, "dimension": service}
            yield {"event": "opinion_asked"} | told
            if chance.random() < 0.34:
                score = chance.choices((1, 2, 3, 4, 5), _SCORES[service])[0]
                yield {"event": "opinion_given", "quantity": score} | told
                if score >= 4:
                    yield {"event": "opinion_satisfied", "quantity": score} | told


_SCORES = dict.fromkeys((*_USED, "referrals"), (4, 7, 12, 40, 37)) | {"billing": (9, 14, 18, 36, 23)}
"""How likely each answer is, from 1 to 5."""


def of_the_portal(chance: Random, busy: float) -> Iterator[Row]:
    """Doors, and what knocks at them."""
    for _each in range(_some(chance, 1.1 * busy)):
        yield {"event": "sign_in_refused", "audience": "anonymous", "dimension": "franceconnect"}
    for _each in range(_some(chance, 4 * busy)):
        two = "two_factors" if chance.random() < 0.86 else "one_factor"
        yield _STAFF | {"event": "staff_session_opened", "dimension": two}
    for _each in range(_some(chance, 3 * busy)):
        yield {"event": "session_opened", "dimension": "franceconnect-plus"}
    for _each in range(_some(chance, 2 * busy)):
        yield {"event": "session_opened", "audience": "professional", "dimension": "prosanteconnect"}
    if chance.random() < 0.06:
        yield {"event": "upload_blocked"}
    if chance.random() < 0.12:
        yield {"event": "accessibility_reported", "audience": "anonymous"}


def totals(place: UUID, today: date, share: float) -> Iterator[Entry]:
    """Two years of what a hospital says of itself: by month, and by day for the last three months."""
    first = (today.replace(day=1) - timedelta(days=70)).replace(day=1)
    for ahead in range((today - first).days):
        yield from _of_day(place, first + timedelta(days=ahead), share)
    month = first
    for _each in range(24):
        month = (month - timedelta(days=1)).replace(day=1)
        for code, usual in _of_month(month, share).items():
            yield Entry(place, code, month, "month", usual)
    month = today.replace(day=1)
    for ago in range(13):
        month = (month - timedelta(days=1)).replace(day=1)
        yield Entry(place, "active_patients", month, "month", round(share * (940 - 6 * ago)))


def _of_day(place: UUID, day: date, share: float) -> Iterator[Entry]:
    chance, busy = Random(day.toordinal()), share * (1.0 if is_business_day(day) else 0.12)
    for code, usual in _DAILY.items():
        value = round(usual * busy * chance.uniform(0.85, 1.15))
        yield Entry(place, code, day, "day", value)
        if code == "bills_issued":
            yield Entry(place, "bills_issued_cents", day, "day", value * _MEAN_BILL)


def _of_month(month: date, share: float) -> dict[str, int]:
    chance = Random(month.toordinal())
    told = {code: round(usual * 21.5 * share * chance.uniform(0.92, 1.05)) for code, usual in _DAILY.items()}
    return told | {"bills_issued_cents": told["bills_issued"] * _MEAN_BILL}


def _visits(chance: Random, busy: float) -> Iterator[Row]:
    for _each in range(_some(chance, 14 * busy)):
        fate = chance.random()
        if fate < 0.08:
            yield _SYSTEM | {"event": "appointment_due", "dimension": "by_patient"}
        elif fate < 0.11:
            yield _SYSTEM | {"event": "appointment_due", "dimension": "by_hospital"}
        else:
            yield _SYSTEM | {"event": "appointment_due", "dimension": "kept"}
            reminded = "reminded" if chance.random() < 0.8 else "alone"
            seen = "missed" if chance.random() < (0.04 if reminded == "reminded" else 0.09) else "seen"
            if chance.random() < 0.95:
                yield _STAFF | {"event": "appointment_outcome", "dimension": f"{seen}_{reminded}"}
    yield _SYSTEM | {"event": "third_time_offered", "dimension": str(chance.randint(4, 21))}


def _delays(chance: Random, busy: float) -> Iterator[Row]:
    for event, usual in (("appointment_request_delay", 2), ("preadmission_first_answer", 4),
                         ("preadmission_acceptance", 3.6), ("exchange_first_answer", 1.8)):  # fmt: skip
        for _each in range(_some(chance, usual * busy)):
            yield _STAFF | {"event": event, "dimension": chance.choice(_SLICES)}


def _stays(chance: Random, busy: float) -> Iterator[Row]:
    yield _SYSTEM | {"event": "preadmission_at_risk", "quantity": chance.randint(0, 5)}
    for _each in range(_some(chance, 3 * busy)):
        yield _SYSTEM | {"event": "preadmission_ready"}
        whose = "qualified" if chance.random() < 0.83 else "other"
        yield _SYSTEM | {"event": "preadmission_identity", "dimension": whose}
        yield _SYSTEM | {"event": "preadmission_integrated"}
    for _each in range(_some(chance, 3.5 * busy)):
        yield _SYSTEM | {"event": "stay_planned"}
        if chance.random() < 0.7:
            yield _SYSTEM | {"event": "stay_prepared"}
    for _each in range(_some(chance, 1.1 * busy)):
        yield _STAFF | {"event": "piece_refused_because", "dimension": chance.choice(_REASONS)}


def _threads(chance: Random, busy: float) -> Iterator[Row]:
    for _each in range(_some(chance, 3 * busy)):
        yield _STAFF | {"event": "exchange_to_read", "dimension": chance.choice(("patient", "professional"))}
        if chance.random() < 0.9:
            soon = "correspondent_soon" if chance.random() < 0.8 else "correspondent_later"
            yield {"event": "exchange_read", "channel": "portal", "dimension": soon}


def _links(chance: Random, busy: float) -> Iterator[Row]:
    for _each in range(_some(chance, 3 * busy)):
        yield {"event": "link_made", "dimension": chance.choice(("letter", "letter", "number", "pushed", "agent"))}
    for _each in range(_some(chance, 0.5 * busy)):
        yield {"event": "link_not_proven"}
    if chance.random() < 0.05:
        yield _STAFF | {"event": "emergency_opened", "dimension": "unconscious"}
    if chance.random() < 0.15:
        yield {"event": "data_request_received", "dimension": "correct"}
        in_time = "in_time" if chance.random() < 0.9 else "late"
        yield _STAFF | {"event": "data_request_answered", "dimension": in_time}
        yield _STAFF | {"event": "data_request_delay", "dimension": str(chance.randint(3, 32))}


def _attendance(chance: Random) -> Iterator[Row]:
    """Some quarters of an hour of an emergency department, what was said of it, and terminals in the hall."""
    for _each in range(_some(chance, 4)):
        yield _SYSTEM | {"event": "kiosk_answered", "dimension": "welcome" if chance.random() < 0.85 else "early"}
    for _each in range(12):
        said = chance.random() < 0.85
        yield _SYSTEM | {"event": "attendance_quarter", "dimension": "shown" if said else "not_shown"}
        if said:
            source = chance.choice(("entered", "machine", "machine"))
            yield _STAFF | {"event": "attendance_reported", "dimension": source}


def _some(chance: Random, usual: float) -> int:
    return max(0, round(chance.gauss(usual, usual**0.5 / 2)))
