"""Notices on every page, in the reader's language and by the clock of the place that they are about."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import format_date, format_time, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError

from portal.catalog import notices
from portal.catalog.legal import queries as legal
from portal.catalog.notices.queries import Notice
from portal.catalog.words import Said, said

_TONES = {"closure": "danger", "warning": "warning", "maintenance": "warning", "info": "info"}
_STATUSES = {
    "full": _l("Accessibility: fully compliant"),
    "partly": _l("Accessibility: partially compliant"),
    "not": _l("Accessibility: not compliant"),
}


@dataclass(frozen=True)
class Told:
    """A notice as a page draws it. place: the hospital's name, "" for all. window: when the service stops."""

    tone: str
    place: str
    title: Said
    text: Said
    window: str


def register(app: Flask) -> None:
    """Let every page draw what is announced, and say how accessible it is."""
    app.jinja_env.globals.update(site_notices=site_notices, told_notice=told)
    app.context_processor(lambda: {"accessibility_label": accessibility_label()})


def site_notices() -> Sequence[Told]:
    """What this page announces; nothing when the database is away, since error pages must still show."""
    found: Sequence[Notice] = ()
    with suppress(SQLAlchemyError):
        found = notices.shown(g.get("worn_id")) if _may_read() else ()
    return [told(each, str(get_locale())) for each in found]


def accessibility_label() -> Any:
    """The words that the first page must hold, and link to the statement (décret 2019-768, art. 4)."""
    status = "not"
    with suppress(SQLAlchemyError):
        status = legal.status() if _may_read() else status
    return _STATUSES[status]


def _may_read() -> bool:
    return bool(g.get("unit_open")) and not g.get("database_away")


def told(notice: Notice, language: str) -> Told:
    """A notice in this language."""
    title, text = said(notice.texts, "title", language), said(notice.texts, "text", language)
    return Told(_TONES[notice.level], notice.place, title, text, _window(notice))


def _window(notice: Notice) -> str:
    """From when to when it stops, in words."""
    start, end = notice.window_from, notice.window_until
    if start is None:
        return ""
    since, begins = _moment(start, notice.zone), start.astimezone(notice.zone)
    if end is None:
        return str(_("From %(since)s", since=since))
    ends = end.astimezone(notice.zone)
    if begins.date() != ends.date():
        return str(_("From %(since)s to %(until)s", since=since, until=_moment(end, notice.zone)))
    return str(
        _("On %(day)s, from %(since)s to %(until)s", day=format_date(begins.date(), "full"), since=_hour(begins),
          until=_hour(ends))
    )  # fmt: skip


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return str(_("%(day)s at %(hour)s", day=format_date(local.date(), "full"), hour=_hour(local)))


def _hour(local: datetime) -> str:
    return str(format_time(local, "short", rebase=False))
