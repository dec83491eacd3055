"""Each figure of the catalogue, against a handful of events counted by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert

from portal import db, kpi
from portal.kpi import GROUP_WIDE, Figure, KpiEvent, Period, hospital_totals
from portal.kpi.hospital_totals import Entry
from tests.factories import hospitals
from tests.ground import prepared
from tests.writers import all_rolled_up


@dataclass(frozen=True)
class Case:
    """events: `name dimension ×times`, and what differs from a patient's on the web. expected: its two parts.
    totals: what the hospital says of the month."""

    events: tuple[tuple[str, str, int, dict[str, Any]], ...]
    expected: tuple[int, int | None]
    totals: dict[str, int] = field(default_factory=dict)


def case(*events: str | tuple[str, dict[str, Any]], gives: tuple[int, int | None] | int, **totals: int) -> Case:
    """Events are written `name`, `name dimension`, `name ×3` or `name dimension ×3`."""
    read = tuple(_event(*(each if isinstance(each, tuple) else (each, {}))) for each in events)
    return Case(read, gives if isinstance(gives, tuple) else (gives, None), totals)


def _event(text: str, more: dict[str, Any]) -> tuple[str, str, int, dict[str, Any]]:
    words, _mark, times = text.partition(" ×")
    name, _space, dimension = words.partition(" ")
    return name, dimension, int(times or 1), more


PRO, STAFF, ANYBODY = {"audience": "professional"}, {"audience": "staff"}, {"audience": "anonymous"}
CITY, PHONE, STRIPE, PAYFIP = {"channel": "city"}, {"channel": "phone"}, {"channel": "stripe"}, {"channel": "payfip"}


def worth(quantity: int, **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, **more}


def who(name: str, **more: Any) -> dict[str, Any]:
    return {"pseudonym": name, **more}


BOOKED = ("appointment_booked open_online ×3", ("appointment_booked open_online ×5", PHONE),
          ("appointment_booked not_open_online ×2", PHONE), ("appointment_booked open_online", CITY))  # fmt: skip
OUTCOMES = ("appointment_outcome seen_reminded ×6", "appointment_outcome missed_reminded ×2",
            "appointment_outcome seen_alone ×3", "appointment_outcome missed_alone ×2",
            "appointment_outcome_taken_back missed_alone", "appointment_due kept ×15",
            "appointment_due by_patient ×4", "appointment_due by_hospital")  # fmt: skip
PAID = (("bill_paid card", worth(2000, **PAYFIP)), ("bill_paid card", worth(1500, **STRIPE)))
SETTLED = (("bill_settled 4", PAYFIP), ("bill_settled 9", PAYFIP), ("bill_settled 30", STRIPE),
           ("bills_issued", worth(8)))  # fmt: skip
USED = {"U5a": "appointments", "U5b": "preadmission", "U5c": "billing", "U5d": "documents", "U5e": "messages",
        "U5f": "questionnaires", "U5g": "referrals"}  # fmt: skip
DELAYS = " le_1h ×5", " le_1d ×4", " le_2d"
"""Of ten delays: half within one hour, nine within a day (eight hours of work)."""

OPINIONS = {"S1c": "appointments", "S1d": "preadmission", "S1e": "billing", "S1f": "documents", "S1g": "messages",
            "S1h": "questionnaires", "S1i": "referrals"}  # fmt: skip
GIVEN = (("opinion_given appointments ×3", worth(5)), ("opinion_given appointments", worth(1)),
         ("opinion_given billing", worth(1)), ("opinion_satisfied appointments ×3", worth(5)))  # fmt: skip
HELP = ("bill_question_asked ×2", ("appointment_booked open_online ×3", PHONE), "appointment_booked open_online ×7",
        "link_asked", "record_request_sent complaint", "record_request_sent record ×4",
        "accessibility_reported")  # fmt: skip

CASES: dict[str, Case] = {
    "U1": case("account_created ×2", ("account_created", PRO), ("account_created", STAFF), gives=3),
    "U2": case(("session_opened", who("a")), ("session_opened", who("a")), ("session_opened", who("b", **PRO)),
               ("session_opened", who("c", **STAFF)), gives=2),
    "U3": case("visit_started ×2", ("visit_started", PRO), ("visit_started ×3", ANYBODY), ("visit_started", STAFF),
               gives=6),
    "U3a": case("visit_started ×2", ("visit_started", PRO), ("visit_started ×3", ANYBODY), gives=3),
    "U3b": case("visit_started ×2", ("visit_started ×3", ANYBODY), gives=3),
    "U4": case("link_made letter ×5", "link_undone", gives=(4, 40), active_patients=40),
    **{code: case((f"{service}_used own", who("a")), (f"{service}_used own", who("a")),
                  (f"{service}_used own", who("b", **PRO)), gives=2) for code, service in USED.items()},
    "U7": case("session_opened franceconnect ×6", ("session_opened proconnect", STAFF),
               ("sign_in_refused psc", ANYBODY), gives=(1, 8)),
    "U7a": case("session_opened franceconnect ×3", ("session_opened prosanteconnect", PRO),
                ("session_opened franceconnect", STAFF), gives=(3, 4)),
    "U7b": case("session_opened franceconnect-plus ×2", "session_opened franceconnect", gives=(2, 3)),
    "U7c": case("session_opened franceconnect ×2", ("session_opened prosanteconnect", PRO), gives=(1, 3)),
    "U8": case("appointments_used own ×5", "documents_used proxy ×2", ("referrals_used proxy", PRO), gives=(3, 8)),
    "I2": case("link_made letter ×2", "link_made pushed", "link_made agent", "link_not_proven", "link_refused",
               gives=(3, 6)),
    "I2a": case("link_undone ×2", gives=2),
    "R1": case(*BOOKED, gives=3),
    "R1c": case(*BOOKED, gives=1),
    "R2a": case(*BOOKED, gives=(3, 9)),
    "R2b": case(*BOOKED, gives=(3, 60), consultations_booked=60),
    "R2c": case(*BOOKED, gives=(3, 20), open_reasons_booked=20),
    "R3": case("appointment_request_became ×2", "appointment_request_closed became ×3", gives=(2, 3)),
    "R3b": case("appointment_request_sent ×4", gives=4),
    "R4": case("appointment_request_answered in_time ×3", "appointment_request_answered late", gives=(3, 4)),
    "R4a": case(*(f"appointment_request_delay{each}" for each in DELAYS), gives=1),
    "R4b": case(*(f"appointment_request_delay{each}" for each in DELAYS), gives=8),
    "R5": case("third_time_offered 2", "third_time_offered 9", "third_time_offered 31 ×3", gives=31),
    "R6a": case(*OUTCOMES, gives=(4, 20)),
    "R6b": case(*OUTCOMES, gives=(1, 20)),
    "R7": case(*OUTCOMES, gives=(3, 12)),
    "R7b": case(*OUTCOMES, gives=(3, 15)),
    "R8a": case(*OUTCOMES, gives=(2, 8)),
    "R8b": case(*OUTCOMES, gives=(1, 4)),
    "R9": case("appointment_slot_freed taken ×2", "appointment_slot_freed empty", gives=(2, 3)),
    "R10": case("appointment_by_waiting_list moved", "appointment_by_waiting_list booked", gives=2),
    "P1": case("preadmission_submitted ×3", gives=3),
    "P2": case("preadmission_ready ×3", gives=(3, 12), stays_planned=12),
    "P2a": case("stay_prepared ×2", "stay_planned ×5", gives=(2, 5)),
    "P3": case("preadmission_arrived direct ×2", "preadmission_arrived desk", gives=(2, 3)),
    "P4": case("preadmission_accepted at_once ×3", "preadmission_accepted completed", "preadmission_refused",
               gives=(3, 5)),
    "P5": case("preadmission_answered in_time ×3", "preadmission_answered late", gives=(3, 4)),
    "P5a": case(*(f"preadmission_first_answer{each}" for each in DELAYS), gives=1),
    "P5b": case(*(f"preadmission_first_answer{each}" for each in DELAYS), gives=8),
    "P5c": case(*(f"preadmission_acceptance{each}" for each in DELAYS), gives=1),
    "P5d": case(*(f"preadmission_acceptance{each}" for each in DELAYS), gives=8),
    "P6": case("preadmission_refused", "preadmission_accepted at_once ×3", gives=(1, 4)),
    "P6a": case("piece_refused identity", "piece_accepted cover ×4", gives=(1, 5)),
    "P7": case("preadmission_abandoned coverage ×2", "preadmission_started ×8", gives=(2, 8)),
    "P8": case(("preadmission_at_risk", worth(4)), ("preadmission_at_risk", worth(9)), gives=6),
    "P9": case("preadmission_ahead 3", "preadmission_ahead 12", "preadmission_ahead 40", gives=12),
    "P10": case("preadmission_integrated_alone ×2", "preadmission_transmitted ×3", gives=(2, 3)),
    "P11": case("maternity_received ×2", gives=2),
    "P12": case("maternity_confirmed", gives=1),
    "I1": case("preadmission_identity qualified ×3", "preadmission_identity other", gives=(3, 4)),
    "D1": case("piece_deposited identity ×2", "piece_deposited cover", gives=3),
    "D1S": case("deposit_sent letter", gives=1),
    "D2": case("piece_accepted identity ×3", "piece_refused identity", gives=(3, 4)),
    "D2S": case("deposit_accepted letter", "deposit_refused letter", gives=(1, 2)),
    "D3": case("document_opened within_30_days ×2", "document_opened later", "document_filed ×4", gives=(2, 4)),
    "D3a": case("document_filed ×4", gives=4),
    "D4": case("mes_sent letter ×2", "mes_eligible letter ×3", gives=(2, 3)),
    **{f"D5{letter}": case(f"record_request_sent {kind} ×2", "record_request_sent other", gives=2)
       for letter, kind in zip("abcde", ("record", "situation", "presence", "complaint", "thanks"), strict=True)},
    "D6": case("record_request_delay 2", "record_request_delay 7", "record_request_delay 8", gives=7),
    "D7": case("record_request_late record", "record_request_delay 9 ×3", gives=(1, 3)),
    "M1": case("mss_sent professional ×2", "mss_sent patient", gives=3),
    "M1a": case("mss_sent professional ×2", "mss_sent patient", gives=2),
    "M1b": case("mss_sent professional ×2", "mss_sent patient", gives=1),
    "M1c": case("mss_delivered professional ×2", "mss_sent professional ×3", gives=(2, 3)),
    "M1d": case("mss_bounced patient", gives=1),
    "M2": case(("exchange_sent professional", who("a", **PRO)), ("exchange_sent professional", who("a", **PRO)),
               ("exchange_sent unit", who("c", **STAFF)), gives=1),
    "M3a": case(*(f"exchange_first_answer{each}" for each in DELAYS), gives=1),
    "M3b": case(*(f"exchange_first_answer{each}" for each in DELAYS), gives=8),
    "M4": case("exchange_read correspondent_soon ×2", "exchange_read correspondent_later",
               "exchange_read unit_soon ×7", "exchange_to_read patient ×4", gives=(2, 4)),
    "M4a": case("exchange_sent unit ×2", ("exchange_sent professional", PRO), gives=3),
    "C1": case("referral_answered accepted ×3", "referral_answered refused", gives=(3, 4)),
    "C1a": case("referral_sent opinion", "referral_sent consultation ×2", gives=3),
    "C1d": case("referral_delay 4", "referral_delay 30 ×2", gives=30),
    "F1": case(*PAID, gives=2),
    "F1a": case(*PAID, gives=3500),
    "F1b": case(*PAID, gives=1),
    "F1c": case(*PAID, gives=1),
    "F2": case(*SETTLED, gives=(3, 8)),
    "F2a": case(*SETTLED, gives=(2, 8)),
    "F2b": case(*SETTLED, gives=(1, 8)),
    "F2c": case(*SETTLED, gives=(3, 25), bills_issued=25),
    "F2d": case(*PAID, gives=(3500, 90_000), bills_issued_cents=90_000),
    "F3": case(*SETTLED, gives=9),
    "F4": case("payment_unfinished abandoned", "payment_started ×4", gives=(1, 4)),
    "F4a": case("payment_file_read", "payment_gap_found ×2", gives=2),
    "Q1": case("questionnaire_sent ×3", gives=3),
    "Q2": case("questionnaire_answered ×2", "questionnaire_sent ×3", gives=(2, 3)),
    "Q3": case("questionnaire_alert", gives=1),
    "L1": case("callback_asked ×3", gives=3),
    "L2": case("callback_answered on_time ×2", "callback_asked ×3", gives=(2, 3)),
    "L3": case("callback_answered on_time ×2", "callback_answered late", gives=(2, 3)),
    "L4": case(("callback_answered on_time", worth(20)), ("callback_answered on_time", worth(41)), gives=30),
    "N1": case(("news_told", worth(3)), ("news_told", worth(2)), gives=5),
    "N2": case(("news_told", worth(3)), ("news_told", worth(2)), gives=(3, 5)),
    "N3": case("news_withheld", "news_gathered ×4", gives=(1, 4)),
    "S1": case(*GIVEN, gives=(17, 5)),
    "S1a": case(*GIVEN, gives=(3, 5)),
    "S1b": case(*GIVEN, "opinion_asked appointments ×6", "opinion_asked billing ×2", gives=(5, 8)),
    **{code: case(*GIVEN, gives=(3, 4) if service == "appointments" else (0, 1) if service == "billing" else (0, 0))
       for code, service in OPINIONS.items()},
    "S2": case(*HELP, ("visit_started ×400", ANYBODY), "visit_started ×100", ("visit_started ×9", STAFF), gives=16),
    "S2a": case(*HELP, gives=2),
    "S2b": case(*HELP, gives=3),
    "S2c": case(*HELP, gives=1),
    "S2d": case(*HELP, gives=1),
    "S2e": case(*HELP, gives=1),
    "A1b": case("accessibility_reported ×2", gives=2),
    "E1": case("attendance_reported page ×2", "attendance_reported api", gives=3),
    "E2": case("attendance_quarter shown ×7", "attendance_quarter hidden ×3", gives=(7, 10)),
    "K1": case("kiosk_answered welcome ×3", "kiosk_answered too_early", gives=3),
    "K2": case("kiosk_answered welcome ×3", "kiosk_answered too_early", gives=(3, 4)),
    "CO1": case("community_joined ×4", "community_left left", gives=3),
    "CO2": case("community_post_written ×2", gives=2),
    "CO3": case("community_announced", gives=1),
    "X1a": case(("sign_in_refused franceconnect ×2", ANYBODY), gives=2),
    "X1b": case("upload_blocked", gives=1),
    "X1c": case(("staff_session_opened two_factors ×3", STAFF), ("staff_session_opened one_factor", STAFF),
                gives=(3, 4)),
    "X1d": case(("emergency_opened unconscious", STAFF), gives=1),
    "X1e": case("data_request_received erase ×2", gives=2),
    "X1f": case("data_request_answered in_time ×2", "data_request_answered late", gives=(2, 3)),
    "X1g": case("data_request_delay 3", "data_request_delay 12", "data_request_delay 29", gives=12),
}  # fmt: skip
CUMULATIVE = ("U1", "U4", "CO1")
"""These count from the beginning: they come first."""
NOT_OF_EVENTS = {"A1", "A1a", "O1", "O2", "O3", "U2a", "U6"}
"""Counted from what is published, from probes, or frozen: their own tests are elsewhere."""


def _months() -> dict[str, date]:
    """Each figure has a month of its own: what one counts is nothing to the others."""
    ordered = sorted(CASES, key=lambda code: (code not in CUMULATIVE, code))
    return {code: date(2010 + rank // 12, rank % 12 + 1, 3) for rank, code in enumerate(ordered)}


def _rows(place: UUID) -> Iterator[dict[str, Any]]:
    for code, day in _months().items():
        for event, dimension, times, more in CASES[code].events:
            portal = kpi.definition(code).portal
            row = {"event": event, "establishment_id": GROUP_WIDE if portal else place, "channel": "web",
                   "audience": "patient", "dimension": dimension, "quantity": 0, "pseudonym": "",
                   "at": datetime.combine(day, time(12), UTC)}  # fmt: skip
            yield from [row | more] * times


def _totals(place: UUID) -> Iterator[Entry]:
    for code, day in _months().items():
        for name, value in CASES[code].totals.items():
            yield Entry(place, name, day.replace(day=1), "month", value)


def _period(day: date, place: UUID) -> Period:
    return Period(day.replace(day=1), (day + timedelta(days=31)).replace(day=1) - timedelta(days=1), place)


@pytest.fixture
def computed(app: Flask) -> dict[str, Figure]:
    """Every figure, over its own month."""
    with prepared():
        place = hospitals.hospital("990000017").establishment.id
        db.session.execute(insert(KpiEvent).inline(), list(_rows(place)))
        hospital_totals.receive(_totals(place), "file")
    all_rolled_up()
    with prepared():
        return {code: _computed(code, _period(day, place)) for code, day in _months().items()}


def _computed(code: str, month: Period) -> Figure:
    """As pages do: they read what the definition says it is made of, and nothing else."""
    definition, place = kpi.definition(code), month.establishment_id
    (period,) = kpi.side_by_side([(month.first, month.last)], place, [], definition.events)
    return definition.compute(period)


def test_every_figure_is_what_one_counts_by_hand(computed: dict[str, Figure]) -> None:
    found = {code: (figure.numerator, figure.denominator) for code, figure in computed.items()}
    assert found == {code: case.expected for code, case in CASES.items()}
    assert all(figure.fed for figure in computed.values())


def test_every_figure_of_the_catalogue_is_counted_by_hand(app: Flask) -> None:
    assert {each.code for each in kpi.definitions()} - set(CASES) == NOT_OF_EVENTS & {
        each.code for each in kpi.definitions()
    }


def test_each_figure_names_its_page_and_the_events_that_it_is_made_of(app: Flask) -> None:
    for code in CASES:
        definition = kpi.definition(code)
        assert definition.service in SERVICES, code
        assert definition.better in ("up", "down", ""), code
        assert {event for event, *_rest in CASES[code].events} - _OF_OTHERS <= set(definition.events), code
        assert bool(definition.denominator) == (definition.unit in ("rate", "score")), code


SERVICES = {"portal", "appointments", "preadmission", "billing", "documents", "messages", "referrals", "satisfaction",
            "security"}  # fmt: skip
_OF_OTHERS = {"opinion_satisfied", "bill_question_asked", "appointment_booked", "link_asked", "record_request_sent",
              "accessibility_reported", "bills_issued", "payment_file_read", "appointment_due", "appointment_outcome",
              "stay_planned",
              "appointment_outcome_taken_back"}  # fmt: skip


def test_what_the_hospital_did_not_tell_is_not_guessed(app: Flask) -> None:
    with prepared():
        place = hospitals.hospital("990000017").establishment.id
        for code, each in CASES.items():
            if each.totals:
                figure = kpi.definition(code).compute(Period(date(2025, 1, 1), date(2025, 2, 28), place))
                assert figure.value is None
                assert not figure.fed
                assert figure.missing
