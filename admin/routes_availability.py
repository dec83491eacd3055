"""Availability: month by month, what put the portal down, and maintenance that is declared beforehand."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import format_date, format_percent
from flask_babel import gettext as _
from sqlalchemy.exc import NoResultFound
from werkzeug.wrappers import Response

from admin import availability, connector_words, spans
from admin.availability import Minutes, TooLate
from admin.forms_connectors import MaintenanceForm
from auth import guards
from portal import calendar, db, kpi
from portal.catalog import queries as catalog
from portal.kpi import Figure
from portal.web.repeated_posts import once

pages = guards.staff(
    Blueprint("admin_availability", __name__, url_prefix="/admin/disponibilite", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]


@dataclass(frozen=True)
class Month:
    """One month: its availability, and its minutes."""

    first: date
    figure: Figure
    minutes: Minutes

    @property
    def name(self) -> str:
        """As `November 2026`."""
        return str(format_date(self.first, "LLLL y"))

    @property
    def rate(self) -> str:
        """Rounded down: 99.999 % is not the whole."""
        value = self.figure.value
        return "–" if value is None else str(format_percent(int(value * 100_000) / 100_000, "0.000 %"))

    @property
    def down(self) -> int:
        """Minutes down."""
        return self.minutes.counted - self.figure.numerator


@pages.get("")
def overview() -> str:
    """The last thirteen months, the last outages, and what is declared."""
    return _overview(MaintenanceForm())


def _overview(form: MaintenanceForm) -> str:
    shown = _months()
    windows = availability.windows()
    return render_template(
        "admin/availability/overview.html",
        months=shown,
        outages=availability.outages(),
        ahead=[window for window in windows if window.until_at > db.now()],
        past=[window for window in windows if window.until_at <= db.now()][:20],
        last_look=availability.last_look(),
        form=form,
        now=db.now(),
        words=connector_words,
        may_act=catalog.administers_all(),
    )


def _months() -> list[Month]:
    today = calendar.civil_day(db.now(), availability.ZONE)
    days = spans.months(spans.Days(date(today.year - 1, today.month, 1), today))
    periods = kpi.side_by_side([each.span for each in days], kpi.GROUP_WIDE, ())
    months = [
        Month(each.first, availability.availability(period), availability.minutes_of(period))
        for each, period in zip(days, periods, strict=True)
    ]
    return [month for month in reversed(months) if month.figure.fed or month.minutes.maintenance]


@pages.post("/maintenances")
@once
def declare() -> Answer:
    """Say beforehand that the portal may be down."""
    _act()
    form = MaintenanceForm()
    if not form.validate():
        return _overview(form), 422
    try:
        availability.declare(*form.span(availability.ZONE), form.reason.data or "")
    except TooLate:
        form.at.errors = [_("This moment has passed: maintenance is declared beforehand.")]
        return _overview(form), 422
    flash(_("The maintenance is declared. Its minutes will not count as down."), "success")
    return redirect(url_for(".overview"), 303)


@pages.post("/maintenances/<uuid:window_id>/retirer")
def withdraw(window_id: UUID) -> Response:
    """It will not take place."""
    _act()
    try:
        availability.withdraw(window_id)
        flash(_("The maintenance is withdrawn."), "success")
    except NoResultFound:
        abort(404)
    except TooLate:
        flash(_("This maintenance has begun: it cannot be withdrawn any more."), "warning")
    return redirect(url_for(".overview"), 303)


def _act() -> None:
    if not catalog.administers_all():
        abort(403)
