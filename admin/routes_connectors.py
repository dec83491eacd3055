"""What the portal is connected to, and whether its own machinery keeps up."""

from datetime import date

from flask import Blueprint, current_app, render_template
from flask_babel import gettext as _

from admin import queries_connectors
from auth import franceconnect, guards
from portal import db
from portal.config import Settings
from portal.gateways import door
from portal.gateways.breaker import BreakerState
from portal.gateways.door import DoorState
from services.documents.mailboxes import queries as mailboxes
from services.documents.mailboxes import wording as mail_wording
from services.exchanges import queries as exchanges

connector_pages = guards.staff(
    Blueprint("admin_connectors", __name__, url_prefix="/admin/connecteurs", template_folder="templates"),
    right="administration",
)


@connector_pages.get("")
def connectors() -> str:
    """Doors as this web process knows them; queue and ledgers as the database does."""
    return render_template(
        "admin/connectors/connectors.html",
        doors=[(state, *_words(state)) for state in door.states()],
        queue=queries_connectors.queue(),
        failed=queries_connectors.failed_tasks(),
        ledgers=queries_connectors.ledgers(),
        exchanges=exchanges.lines(guards.establishments("administration")),
        boxes=[line for line in mailboxes.boxes_at(guards.establishments("administration")) if line.box.is_open],
        mail_words=mail_wording,
        ending_on=_ending_on(),
    )


def _ending_on() -> date | None:
    """The end of plain FranceConnect for health services, once it is a year away; None where it is not used."""
    settings: Settings = current_app.config["SETTINGS"]
    soon = franceconnect.days_left(settings.franceconnect_ends_on, db.now().date()) is not None
    return settings.franceconnect_ends_on if soon and settings.providers["franceconnect"].enabled else None


def _words(state: DoorState) -> tuple[str, str]:
    """How the door is, in a word and a tone."""
    if state.breaker is BreakerState.OPEN:
        return _("Out of order"), "danger"
    if state.breaker is BreakerState.HALF_OPEN:
        return _("Being tried again"), "warning"
    if state.last_success_at is None and state.last_failure_at is None:
        return _("Not used yet"), "neutral"
    if state.last_success_at is None or (state.last_failure_at and state.last_failure_at > state.last_success_at):
        return _("Last call failed"), "warning"
    return _("Working"), "success"
