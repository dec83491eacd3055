"""What one is told by mail about one's account: a moment, a number, a date; never what it is about."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, format_datetime
from flask_babel import lazy_gettext as _l

from auth.account.models import DataExport, DataRequest
from auth.wording import browser_words
from portal.notifications import Mail, message

_ZONE = ZoneInfo("Europe/Paris")
_SAMPLE_AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


class _Request:
    """A request of nobody, for the list of messages."""

    id, number, day = UUID(int=0), "{number}", "{day}"


_SAMPLE = {"asked": _Request()}


def _told(asked: DataRequest) -> dict[str, str]:
    return {"number": asked.number, "day": _day(asked)}


@message("account.new_device", "anybody", sample={"at": _SAMPLE_AT, "browser": "Firefox"}, values=lambda _given: {})
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


@message("account.export_ready", sample={"export": None}, values=lambda _given: {})
def export_ready(export: DataExport) -> Mail:
    return Mail(
        _l("Your copy is ready"),
        (
            _l("The copy you asked for is ready. You can take it for seven days, after signing in."),
            _l("If you did not ask for it, sign in and close the other sessions of your account."),
        ),
        "/mon-compte/donnees",
    )


@message("account.request_received", sample=_SAMPLE, values=lambda given: _told(given["asked"]))
def request_received(asked: DataRequest) -> Mail:
    return Mail(
        _l("Your request %(number)s is registered", number=asked.number),
        (_l("You will have an answer by %(day)s at the latest.", day=_day(asked)),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


@message("account.request_extended", sample=_SAMPLE, values=lambda given: _told(given["asked"]))
def request_extended(asked: DataRequest) -> Mail:
    return Mail(
        _l("Your request %(number)s needs more time", number=asked.number),
        (_l("The hospital says why in your account. The new date is %(day)s.", day=_day(asked)),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


@message("account.request_answered", sample=_SAMPLE, values=lambda given: _told(given["asked"]))
def request_answered(asked: DataRequest) -> Mail:
    return Mail(
        _l("An answer to your request %(number)s", number=asked.number),
        (_l("The hospital has answered. Sign in to read it."),),
        f"/mon-compte/donnees/demandes/{asked.id}",
    )


def _day(asked: DataRequest) -> str:
    if isinstance(asked, _Request):
        return asked.day
    with force_locale(asked.locale or "fr"):
        return str(format_date(asked.due_on, "long"))
