"""What the shelf and what hangs on it bring to the room: pages, jobs, figures, the copy of one's data, retention."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from auth.mandates import masking
from auth.mandates.masking import Maskable
from portal import kpi
from portal.kpi import Definition, Figure, Period
from services.documents.deposits import belongings, export, retention
from services.documents.deposits import jobs as deposit_jobs  # noqa: F401 - registers its jobs
from services.documents.deposits import routes_patient as deposit_pages  # noqa: F401 - adds its pages to the shelf's
from services.documents.deposits.models import Deposit
from services.documents.shelf import jobs  # noqa: F401 - registers its jobs
from services.documents.shelf import routes_patient as shelf_pages  # noqa: F401 - adds its pages to the room's
from services.documents.shelf.mes import jobs as mes_jobs  # noqa: F401 - registers its jobs
from services.documents.unread import jobs as unread_jobs  # noqa: F401 - registers its jobs


def furnish() -> None:
    """Declare all of it. The pages were added to the room's blueprint when this module was imported."""
    page, desk = ("my_documents.deposit", "deposit_id"), ("admin_deposits.show", "deposit_id")
    masking.offer(Maskable("deposit", Deposit, "documents", page, desk))
    belongings.declare()
    export.declare()
    retention.declare()
    _define_figures()


def _define_figures() -> None:
    """Domain catalogue, section 5.2: D4, and the part of D1 and D2 that concerns the shelf."""
    kpi.define(*_of_deposits(), by_unit=True)
    kpi.define(*_of_mes())


def _of_deposits() -> tuple[Definition, ...]:
    return (
        Definition(
            "D1S",
            _l("Documents deposited on the shelf"),
            _l("Documents that patients sent from their shelf, asked for or not, by kind"),
            "",
            lambda period: Figure(kpi.counted("deposit_sent", period)),
            event="deposit_sent",
            service="documents",
            events=("deposit_sent",),
            better="up",
            of_people=True,
        ),
        Definition(
            "D2S",
            _l("Deposited documents accepted"),
            _l("Deposited documents that agents accepted"),
            _l("Deposited documents that agents accepted or refused"),
            _accepted,
            unit="rate",
            event="deposit_accepted",
            service="documents",
            events=("deposit_accepted", "deposit_refused"),
            better="up",
            of_people=True,
        ),
    )


def _of_mes() -> Iterator[Definition]:
    yield Definition(
        "D4",
        _l("Documents sent to Mon espace santé"),
        _l("Documents that the national operator took"),
        _l("Documents shown to a patient whose identity is qualified and who does not object"),
        _sent_to_mes,
        unit="rate",
        event="mes_sent",
        service="documents",
        events=("mes_sent", "mes_eligible"),
        better="up",
        of_people=True,
    )


def _accepted(period: Period) -> Figure:
    accepted = kpi.counted("deposit_accepted", period)
    return Figure(accepted, accepted + kpi.counted("deposit_refused", period))


def _sent_to_mes(period: Period) -> Figure:
    eligible = kpi.counted("mes_eligible", period)
    return Figure(kpi.counted("mes_sent", period), eligible, fed=bool(eligible))
