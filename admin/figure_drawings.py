"""The drawings of each service's page (domain catalogue, section 5.3), declared."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from admin.charts_services import Delays, Drawing, Hours, Part, Parts, Ranks, Split, Steps
from admin.figure_services import PORTAL
from portal.kpi import Definition
from services.pieces.wording import KINDS as PIECES
from services.pieces.wording import REASONS
from services.referrals.wording import KINDS as REFERRALS

_SIGNED_IN = frozenset({"patient", "professional"})
_CHANNELS = {
    "web": _l("Online"),
    "phone": _l("By phone"),
    "desk": _l("At the desk"),
    "city": _l("By a practitioner of the city"),
    "walk_in": _l("Without an appointment"),
}

VISITS = Parts(
    "visits",
    _l("Visits"),
    (
        Part(_l("Signed in"), "visit_started", audiences=_SIGNED_IN, portal=True),
        Part(_l("Anonymous"), "visit_started", audiences=frozenset({"anonymous"}), portal=True),
    ),
)
BOOKED = Split("booked", _l("Appointments booked, by channel"), "appointment_booked", "channel", _CHANNELS)
SENT = Steps(
    "funnel",
    _l("From the draft to the hospital’s system"),
    (
        Part(_l("Begun"), "preadmission_started"),
        Part(_l("Sent"), "preadmission_submitted"),
        Part(_l("Accepted"), "preadmission_accepted"),
        Part(_l("Registered by itself"), "preadmission_integrated_alone"),
    ),
)
PAID = Parts(
    "paid",
    _l("Amounts paid online, in euros"),
    (
        Part(_l("By PayFiP"), "bill_paid", channels=frozenset({"payfip"}), summed=True),
        Part(_l("By Stripe"), "bill_paid", channels=frozenset({"stripe"}), summed=True),
    ),
    cents=True,
)


def _outcome(name: Any, how: str) -> Part:
    """Who came, or did not: what agents said, less what they took back."""
    dimensions = frozenset({f"{how}_reminded", f"{how}_alone"})
    taken_back = Part(name, "appointment_outcome_taken_back", dimensions=dimensions)
    return Part(name, "appointment_outcome", dimensions=dimensions, less=(taken_back,))


_SEEN, _MISSED = _outcome(_l("Kept appointments"), "seen"), _outcome(_l("Missed appointments"), "missed")
_OUTCOMES = (
    _SEEN,
    _MISSED,
    Part(_l("To be filled in"), "appointment_due", dimensions=frozenset({"kept"}), less=(_SEEN, _MISSED)),
    Part(_l("Cancelled by the patient"), "appointment_due", dimensions=frozenset({"by_patient"})),
    Part(_l("Cancelled by the hospital"), "appointment_due", dimensions=frozenset({"by_hospital"})),
)

HOME: Sequence[Drawing] = (VISITS, BOOKED, SENT, PAID)
"""On the first page."""
OF_SERVICES: Mapping[str, Sequence[Drawing]] = {
    PORTAL: (
        VISITS,
        Parts(
            "enrolled",
            _l("Accounts opened"),
            (
                Part(_l("Patients"), "account_created", audiences=frozenset({"patient"}), portal=True),
                Part(_l("Practitioners"), "account_created", audiences=frozenset({"professional"}), portal=True),
            ),
        ),
        Hours("visit-hours", _l("When people come to the portal"), "visit_started", portal=True),
    ),
    "appointments": (
        BOOKED,
        Parts("outcomes", _l("What became of appointments"), _OUTCOMES, filled=True),
        Delays("answers", _l("How long requests for appointments wait"), "appointment_request_delay"),
        Hours("booking-hours", _l("When patients and practitioners book"), "appointment_booked"),
    ),
    "preadmission": (
        SENT,
        Delays("decisions", _l("How long files wait for a first answer"), "preadmission_first_answer"),
        Parts(
            "judged",
            _l("What became of files"),
            (
                Part(_l("Complete at once"), "preadmission_accepted", dimensions=frozenset({"at_once"})),
                Part(_l("Accepted after more"), "preadmission_accepted", dimensions=frozenset({"later"})),
                Part(_l("Refused"), "preadmission_refused"),
            ),
            filled=True,
        ),
        Hours("sending-hours", _l("When patients send their file"), "preadmission_submitted"),
        Ranks("pieces", _l("Pieces sent, by kind"), "piece_deposited", PIECES),
        Ranks(
            "refusals",
            _l("Why pieces are refused"),
            "piece_refused_because",
            {code: words[0] for code, words in REASONS.items()},
        ),
    ),
    "billing": (
        PAID,
        Parts(
            "attempts",
            _l("What became of payments"),
            (
                Part(_l("Payments that succeeded"), "bill_paid"),
                Part(_l("Payments refused"), "payment_unfinished", dimensions=frozenset({"refused"})),
                Part(_l("Payments given up"), "payment_unfinished", dimensions=frozenset({"abandoned"})),
            ),
            filled=True,
        ),
    ),
    "documents": (
        Parts(
            "opened",
            _l("Documents made available and opened"),
            (Part(_l("Made available"), "document_filed"), Part(_l("Opened"), "document_opened")),
        ),
        Parts(
            "deposits",
            _l("What patients sent"),
            (Part(_l("Accepted"), "deposit_accepted"), Part(_l("Refused"), "deposit_refused")),
            filled=True,
        ),
    ),
    "messages": (
        Parts(
            "mss",
            _l("Secure messages sent (MSSanté)"),
            (
                Part(_l("To practitioners"), "mss_sent", dimensions=frozenset({"professional"})),
                Part(_l("To patients"), "mss_sent", dimensions=frozenset({"patient"})),
            ),
        ),
        Delays("first-answers", _l("How long messages wait for a first answer"), "exchange_first_answer"),
    ),
    "referrals": (
        Split("asked", _l("What practitioners ask for"), "referral_sent", "dimension", REFERRALS),
        Parts(
            "answered",
            _l("What units answer"),
            (
                Part(_l("Accepted"), "referral_answered", dimensions=frozenset({"accepted"})),
                Part(_l("Sent on to another unit"), "referral_answered", dimensions=frozenset({"redirected"})),
                Part(_l("Refused"), "referral_answered", dimensions=frozenset({"refused"})),
            ),
            filled=True,
        ),
    ),
}


def events(drawings: Collection[Drawing], definitions: Collection[Definition] = ()) -> frozenset[str]:
    """What a page of these drawings and figures is counted from: it reads nothing else."""
    counted = {event for each in definitions for event in (*each.events, each.event) if event}
    return frozenset(counted).union(*(drawing.events for drawing in drawings))
