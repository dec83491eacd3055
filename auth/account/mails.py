"""What one is told by mail about one's account: a moment, a number, a date; never what it is about."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, format_datetime
from flask_babel import lazy_gettext as _l

from auth.account.models import DataExport, DataRequest
from auth.wording import browser_words
from portal.notifications import Mail

_ZONE = ZoneInfo("Europe/Paris")


def new_device(locale: str, at: datetime, browser: str) -> Mail:
    """Somebody, probably the owner, signed in with a browser that the account had not seen."""
    with force_locale(locale or "fr"):
        device, moment = browser_words(browser), format_datetime(at.astimezone(_ZONE), "short")
    return Mail(
        _l("New sign-in to your account"),
        (
            _l("Your account was opened on %(moment)s with a device we had not seen before: %(device)s.",
               moment=moment, device=device),
            _l("If it was you, there is nothing to do."),
            _l("If it was not, sign in, close that session, and change the password of the service you sign in with."),
        ),
        "/mon-compte/sessions",
    )  # fmt: skip


def export_ready(export: DataExport) -> Mail:
    return Mail(
        _l("Your copy is ready"),
        (
            _l("The copy you asked for is ready. You can take it for seven days, after signing in."),
            _l("If you did not ask for it, sign in and close the other sessions of your account."),
        ),
        "/mon-compte/donnees",
    )


def request_received(asked: DataRequest) -> Mail:
    return Mail(
        _l("Your request %(number)s is registered", number=asked.number),
        (_l("You will have an answer by %(day)s at the latest.", day=_day(asked)),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


def request_extended(asked: DataRequest) -> Mail:
    return Mail(
        _l("Your request %(number)s needs more time", number=asked.number),
        (_l("The hospital says why in your account. The new date is %(day)s.", day=_day(asked)),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


def request_answered(asked: DataRequest) -> Mail:
    return Mail(
        _l("An answer to your request %(number)s", number=asked.number),
        (_l("The hospital has answered. Sign in to read it."),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


def _day(asked: DataRequest) -> str:
    with force_locale(asked.locale or "fr"):
        return str(format_date(asked.due_on, "long"))
