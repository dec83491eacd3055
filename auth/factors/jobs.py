"""Sending codes, and forgetting what no longer serves."""

from datetime import timedelta
from uuid import UUID

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete

from auth.factors import sealing
from auth.factors.models import FactorChallenge, FactorReset
from auth.models import Account
from portal import db, jobs, notifications, text_messages
from portal.gateways import Refused

log = structlog.get_logger(__name__)
_KEEP_CHALLENGES = timedelta(hours=1)
_KEEP_RESETS = timedelta(days=365)


@jobs.task("auth.send_code")
def send_code(challenge_id: str) -> None:
    """Send one code, unless it has served or is too old: late, it would only puzzle."""
    with jobs.reading() as current:
        row = current.get(FactorChallenge, UUID(challenge_id))
        if row is None or row.account_id is None or row.sent_at or row.used_at or row.expires_at < db.now():
            return
        kind, what = row.kind, sealing.unseal("code", row.sealed)
        locale = current.get_one(Account, row.account_id).locale
    with force_locale(locale or "fr"):
        text = _("%(code)s is your code for the hospital’s portal. Give it to nobody.", code=what["code"])
        subject = _("Your code for the hospital’s portal")
    try:
        text_messages.send(what["to"], text) if kind == "sms" else notifications.carry(what["to"], subject, text)
    except Refused as refused:
        log.warning(
            "code.refused", kind=kind, reason=refused.code
        )  # the person sees that nothing comes, and tries another way
        return
    with jobs.effect() as current:
        sent = current.get(FactorChallenge, UUID(challenge_id))
        if sent is not None:
            sent.sent_at = db.now()


@jobs.periodic("*/20 * * * *", "auth.forget_codes")
def forget_codes() -> None:
    """Delete codes and challenges that can no longer serve, and resets after a year."""
    with jobs.reading() as current:
        current.execute(delete(FactorChallenge).where(FactorChallenge.expires_at < db.now() - _KEEP_CHALLENGES))
        current.execute(delete(FactorReset).where(FactorReset.created_at < db.now() - _KEEP_RESETS))
