"""Bills: see what is to pay, pay it through PayFiP, print the receipt."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.mandates import masking
from auth.mandates.masking import Maskable
from auth.wording import say
from portal import catalog, establishments, kpi
from portal.catalog import Card
from portal.kpi import Definition, Figure, Period
from services.billing import affairs, belongings, export, guests, jobs, journal, questions, reminders, stripe_events
from services.billing import commands as operator
from services.billing.disputes import jobs as dispute_jobs  # noqa: F401 - registers its jobs
from services.billing.models import Bill
from services.billing.payouts import jobs as payout_jobs  # noqa: F401 - registers its jobs
from services.billing.receipts import (
    routes_patient as _receipts,  # noqa: F401 - adds its pages to the room's blueprint
)
from services.billing.receipts import (
    routes_public as _checks,  # noqa: F401 - adds its pages to the room's blueprint
)
from services.billing.refunds import jobs as refund_jobs  # noqa: F401 - registers its jobs
from services.billing.routes_callbacks import callbacks
from services.billing.routes_patient import patient_pages
from services.billing.routes_public import public_pages
from services.billing.settlement import jobs as settlement_jobs  # noqa: F401 - registers its jobs
from services.billing.sources import settings
from services.billing.treasury import jobs as treasury_jobs  # noqa: F401 - registers its jobs


def register(app: Flask) -> None:
    """Furnish the room: the payment door, routes, jobs, card, figures."""
    say(journal.WORDS)
    jobs.connect(app.config["SETTINGS"])
    establishments.check_setting_with(settings.check_setting)
    affairs.declare()
    belongings.declare()
    export.declare()
    for blueprint in (patient_pages, public_pages, callbacks):
        app.register_blueprint(blueprint)
    stripe_events.register(app)
    questions.register(app)
    guests.register(app)
    reminders.register()
    page, desk = ("billing.show", "bill_id"), ("admin_billing.show", "bill_id")
    masking.offer(Maskable("bill", Bill, "billing", page, desk))
    catalog.offer(
        Card(
            code="billing",
            title=_l("My bills"),
            text=_l("See your bills, pay online, print your receipts."),
            icon="receipt-euro",
            endpoint="billing.my_bills",
            staff_title=_l("Bills"),
            staff_endpoint="admin_billing.overview",
            right="billing",
        )
    )
    _declare_figures()


def commands() -> list[click.Command]:
    """What an operator may type about this room."""
    return [operator.billing, operator.reconcile, operator.import_]


def _declare_figures() -> None:
    kpi.define(
        Definition(
            "F1",
            _l("Payments made online"),
            _l("Payments received through PayFiP in the period"),
            "",
            _payments,
            event="bill_paid",
        ),
        Definition(
            "F1a",
            _l("Amount paid online"),
            _l("Sum of the payments received through PayFiP in the period"),
            "",
            _amount,
            unit="cents",
            event="bill_paid",
        ),
        Definition(
            "F2",
            _l("Online payment rate"),
            _l("Bills whose patient share was paid in full on the portal in the period"),
            _l("Bills payable online that the billing system sent in the period"),
            _rate,
            unit="rate",
            event="bill_settled",
            missing=_l("Bills must be imported from the billing system (parvis import bills)."),
        ),
    )


def _payments(period: Period) -> Figure:
    return Figure(kpi.counted("bill_paid", period))


def _amount(period: Period) -> Figure:
    return Figure(kpi.summed("bill_paid", period))


def _rate(period: Period) -> Figure:
    issued = kpi.summed("bills_issued", period)
    return Figure(kpi.counted("bill_settled", period), issued, fed=issued > 0)
