"""Bills: see what is to pay, pay it through PayFiP, print the receipt."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.keys import standing as keys
from auth.mandates import masking
from auth.mandates.masking import Maskable
from auth.wording import say
from portal import catalog, establishments
from portal.catalog import Card
from services.billing import (
    affairs,
    belongings,
    digest,
    export,
    figures,
    guests,
    jobs,
    journal,
    metrics,
    questions,
    reminders,
    stripe_events,
)
from services.billing import commands as operator
from services.billing.disputes import jobs as dispute_jobs  # noqa: F401 - registers its jobs
from services.billing.guests import queries as opened_by_letters
from services.billing.models import Bill
from services.billing.payouts import jobs as payout_jobs  # noqa: F401 - registers its jobs
from services.billing.receipts import (
    routes_patient as _receipts,  # noqa: F401 - adds its pages to the room's blueprint
)
from services.billing.receipts import (
    routes_public as _checks,  # noqa: F401 - adds its pages to the room's blueprint
)
from services.billing.refunds import jobs as refund_jobs  # noqa: F401 - registers its jobs
from services.billing.refunds import queries as refund_queries
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
    establishments.check_setting_with(refund_queries.check_setting)
    affairs.declare()
    belongings.declare()
    export.declare()
    for blueprint in (patient_pages, public_pages, callbacks):
        app.register_blueprint(blueprint)
    stripe_events.register(app)
    questions.register(app)
    guests.register(app)
    reminders.register()
    keys.offer("bills whose letter opens them", opened_by_letters.with_a_digest)
    metrics.register()
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
    figures.declare()
    digest.declare()


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return [operator.billing, operator.reconcile, operator.import_]
