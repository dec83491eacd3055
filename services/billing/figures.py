"""Indicators of bills (domain catalogue, section 5.2): F1 to F4. No person in them, and no bill."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import out_of_the_hospitals

LONGEST_DELAY = 366
"""Days told of a bill paid; a later one counts as this many."""

_MISSING = _l("Bills must be imported from the billing system (parvis import bills).")


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_payments(), *_of_payments_by_means())
    kpi.define(*_of_bills(), *_of_bills_by_means(), *_of_all_bills(), *_of_trouble())


def _of_payments() -> tuple[Definition, ...]:
    return (
        Definition(
            "F1",
            _l("Payments made online"),
            _l("Payments received through PayFiP or Stripe in the period"),
            "",
            lambda period: Figure(kpi.counted("bill_paid", period)),
            event="bill_paid",
            service="billing",
            events=("bill_paid",),
            better="up",
            of_people=True,
        ),
        Definition(
            "F1a",
            _l("Amount paid online"),
            _l("Sum of the payments received through PayFiP or Stripe in the period"),
            "",
            lambda period: Figure(kpi.summed("bill_paid", period)),
            unit="cents",
            event="bill_paid",
            service="billing",
            events=("bill_paid",),
            better="up",
        ),
    )


def _of_payments_by_means() -> tuple[Definition, ...]:
    return (
        Definition(
            "F1b",
            _l("Payments made through PayFiP"),
            _l("Payments received through PayFiP in the period"),
            "",
            lambda period: Figure(kpi.counted("bill_paid", period, channels=("payfip",))),
            event="bill_paid",
            service="billing",
            events=("bill_paid",),
            of_people=True,
        ),
        Definition(
            "F1c",
            _l("Payments made through Stripe"),
            _l("Payments received through Stripe in the period"),
            "",
            lambda period: Figure(kpi.counted("bill_paid", period, channels=("stripe",))),
            event="bill_paid",
            service="billing",
            events=("bill_paid",),
            of_people=True,
        ),
    )


def _of_bills() -> tuple[Definition, ...]:
    return (
        Definition(
            "F2",
            _l("Online payment rate"),
            _l("Bills whose patient share was paid in full on the portal in the period"),
            _l("Bills payable online that the billing system sent in the period"),
            _rate,
            unit="rate",
            event="bill_settled",
            missing=_MISSING,
            service="billing",
            events=("bill_settled", "bills_issued"),
            better="up",
            of_people=True,
        ),
        Definition(
            "F3",
            _l("Days from the bill to its payment"),
            _l("Median number of days between the day of the bill and its payment in full on the portal"),
            "",
            _median_delay,
            unit="days",
            event="bill_settled",
            missing=_l("A bill paid in full on the portal in the period"),
            service="billing",
            events=("bill_settled",),
            better="down",
            of_people=True,
        ),
    )


def _of_bills_by_means() -> tuple[Definition, ...]:
    return (
        Definition(
            "F2a",
            _l("Online payment rate, through PayFiP"),
            _l("Bills whose patient share was paid in full through PayFiP in the period"),
            _l("Bills payable online that the billing system sent in the period"),
            lambda period: _rate(period, "payfip"),
            unit="rate",
            event="bill_settled",
            missing=_MISSING,
            service="billing",
            events=("bill_settled", "bills_issued"),
            of_people=True,
        ),
        Definition(
            "F2b",
            _l("Online payment rate, through Stripe"),
            _l("Bills whose patient share was paid in full through Stripe in the period"),
            _l("Bills payable online that the billing system sent in the period"),
            lambda period: _rate(period, "stripe"),
            unit="rate",
            event="bill_settled",
            missing=_MISSING,
            service="billing",
            events=("bill_settled", "bills_issued"),
            of_people=True,
        ),
    )


def _of_all_bills() -> Iterator[Definition]:
    """Out of all that the hospital bills patients, on the portal or not."""
    missing = _l("The hospital’s totals of bills")
    yield Definition(
        "F2c",
        _l("Share of all bills paid online"),
        _l("Bills whose patient share was paid in full on the portal in the period"),
        _l("Bills of a patient share that the hospital issued in the period, by its own totals"),
        out_of_the_hospitals(lambda period: kpi.counted("bill_settled", period), "bills_issued"),
        unit="rate",
        event="bill_settled",
        missing=missing,
        service="billing",
        events=("bill_settled",),
        better="up",
        of_people=True,
    )
    yield Definition(
        "F2d",
        _l("Share of the amount of all bills paid online"),
        _l("Cents received through PayFiP or Stripe in the period"),
        _l("Cents of the patient shares that the hospital issued in the period, by its own totals"),
        out_of_the_hospitals(lambda period: kpi.summed("bill_paid", period), "bills_issued_cents"),
        unit="rate",
        event="bill_paid",
        missing=missing,
        service="billing",
        events=("bill_paid",),
        better="up",
    )


def _of_trouble() -> tuple[Definition, ...]:
    return (
        Definition(
            "F4",
            _l("Payments begun and not completed"),
            _l("Payments refused, abandoned, not completed or that could not begin, counted when they ended"),
            _l("Payments begun in the period"),
            _unfinished,
            unit="rate",
            event="payment_started",
            service="billing",
            events=("payment_unfinished", "payment_started"),
            better="down",
            of_people=True,
        ),
        Definition(
            "F4a",
            _l("Payments received and not written down"),
            _l("Payments that a provider’s file told of and the ledger had not, when they were compared: must be 0"),
            "",
            _gaps,
            event="payment_file_read",
            missing=_l("Daily files of the providers must be read (parvis import payments)."),
            service="billing",
            events=("payment_gap_found", "payment_file_read"),
            better="down",
        ),
    )


def _rate(period: Period, psp: str = "") -> Figure:
    issued = kpi.summed("bills_issued", period)
    settled = kpi.counted("bill_settled", period, channels=(psp,) if psp else ())
    return Figure(settled, issued, fed=issued > 0)


def _median_delay(period: Period) -> Figure:
    """The lower median: a whole number of days."""
    bills = [(int(each.dimension), each.events) for each in kpi.totals("bill_settled", period) if each.dimension]
    return Figure(median(bills), fed=bool(bills))


def median(counted: list[tuple[int, int]]) -> int:
    """The lower median of values, each with how many times it was seen; 0 of nothing."""
    half = (sum(count for _value, count in counted) + 1) // 2
    seen = 0
    for value, count in sorted(counted):
        seen += count
        if seen >= half:
            return value
    return 0


def _unfinished(period: Period) -> Figure:
    begun = kpi.counted("payment_started", period)
    return Figure(kpi.counted("payment_unfinished", period), begun, fed=begun > 0)


def _gaps(period: Period) -> Figure:
    return Figure(kpi.counted("payment_gap_found", period), fed=kpi.counted("payment_file_read", period) > 0)
