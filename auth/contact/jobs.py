"""Codes that leave, former numbers that are told, and how each person wants to be reached."""

from uuid import UUID

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _

from auth.contact import actions
from auth.contact.models import ContactPoint
from auth.identity import sealing
from auth.models import Account
from portal import db, jobs, notifications, text_messages
from portal.gateways import Refused
from portal.notifications import Reach

log = structlog.get_logger(__name__)


@jobs.task("contact.send_code")
def send_code(point_id: str) -> None:
    """Send one code, unless it has served or is too old."""
    with jobs.reading() as current:
        point = current.get(ContactPoint, UUID(point_id))
        if point is None or point.code_sealed is None or point.code_expires_at < db.now():
            return
        code, kind, value = sealing.open_("contact code", point.code_sealed), point.kind, point.value
        locale = current.get_one(Account, point.account_id).locale
    with force_locale(locale or "fr"):
        text = _("%(code)s is your code for the hospital’s portal. Give it to nobody.", code=code)
        subject = _("Your code for the hospital’s portal")
    try:
        text_messages.send(value, text) if kind == "mobile" else notifications.carry(value, subject, text)
    except Refused as refused:
        log.warning("code.refused", kind=kind, reason=refused.code)
        return
    with jobs.effect() as current:
        current.get_one(ContactPoint, UUID(point_id)).code_sealed = None


@jobs.task("contact.tell_former")
def tell_former(point_id: str) -> None:
    """Tell the former number that it was replaced."""
    with jobs.reading() as current:
        point = current.get_one(ContactPoint, UUID(point_id))
        value, locale = point.value, current.get_one(Account, point.account_id).locale
    with force_locale(locale or "fr"):
        text = _("The number of your account on the hospital’s portal was changed. If it was not you, sign in at once.")
    try:
        text_messages.send(value, text)
    except Refused as refused:
        log.warning("text.refused", reason=refused.code)


def reach(account_id: UUID) -> Reach:
    """How this person wants to be told; as the system."""
    account = db.session.get(Account, account_id)
    mobile = actions.current(account_id, "mobile") if account and "sms" in account.channels else None
    by_mail = account is None or "mail" in account.channels or mobile is None
    return Reach(by_mail, mobile.value if mobile else "")
