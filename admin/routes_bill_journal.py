"""The journal of the ledger and its balances, on screen and as workbooks."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures, spans
from admin.forms_bills import ENTRY_WORDS, MEANS_WORDS, PSP_WORDS, DayForm, LedgerForm
from auth import guards
from portal import db, kpi
from portal.calendar import civil_day, to_utc_or_after
from portal.establishments import Establishment
from portal.web.workbooks import Column, Sheet, xlsx_response
from services.billing.ledger import queries
from services.billing.ledger.queries import Balance, Place, Search
from services.billing.office.actions import note_download

journal_pages = guards.staff(
    Blueprint("admin_bill_journal", __name__, url_prefix="/admin/factures", template_folder="templates"),
    right="billing",
)

_DAYS_AT_FIRST = 7
MOST_IN_A_WORKBOOK = 100_000
"""Entries: beyond, writing the workbook would hold a web thread for too long; the treasury's export has no limit."""


@journal_pages.get("/journal")
def journal() -> tuple[str, int]:
    """Filters by address: from, to, etablissement (FINESS), mouvement, site, moyen, guichet, source; then `apres`."""
    mine = _mine()
    form = _form(LedgerForm(formdata=request.args).among(mine))
    search = _search(form, mine) if not form.errors else None
    page = queries.journal(search) if search else queries.Page([], None)
    rendered = render_template(
        "admin/billing/journal.html",
        form=form,
        page=page,
        # Read once, on the first page: the next ones are about the same entries.
        totals=queries.totals(search) if search and search.after is None else [],
        names={place.id: place.short_name or place.name for place in mine},
        following=_address(".journal", apres=_written(page.following)) if page.following else "",
        newest=_address(".journal") if search and search.after else "",
        file=_address(".journal_file"),
        most=MOST_IN_A_WORKBOOK,
    )
    return rendered, 422 if form.errors else 200


@journal_pages.get("/journal.xlsx")
def journal_file() -> Response:
    """The lines of the same filter, both sides."""
    mine = _mine()
    form = _form(LedgerForm(formdata=request.args).among(mine))
    if form.errors:
        return redirect(_address(".journal"), 303)
    search = _search(form, mine)
    if queries.count(search) > MOST_IN_A_WORKBOOK:
        flash(_("That is too much for one workbook: choose fewer days, or a counter."), "warning")
        return redirect(_address(".journal"), 303)
    first, last = form.first.data.isoformat(), form.last.data.isoformat()
    note_download(search.places, "journal", first, last)
    names = {place.id: place.short_name or place.name for place in mine}
    sheet = Sheet(_("Journal"), _journal_columns(), _journal_rows(search, names), _zone(mine))
    return xlsx_response(f"journal-{first}-{last}", [sheet])


@journal_pages.get("/soldes")
def balances() -> tuple[str, int]:
    """Each account at the end of a day. By address: to, etablissement."""
    mine = _mine()
    form = _form(DayForm(formdata=request.args).among(mine))
    found = _balances(form, mine) if not form.errors else []
    rendered = render_template(
        "admin/billing/balances.html",
        form=form,
        cash=[each for each in found if not each.is_memo],
        memos=[each for each in found if each.is_memo],
        counters=[each for each in found if each.counter],
        file=_address(".balances_file"),
    )
    return rendered, 422 if form.errors else 200


@journal_pages.get("/soldes.xlsx")
def balances_file() -> Response:
    """The same, as a workbook."""
    mine = _mine()
    form = _form(DayForm(formdata=request.args).among(mine))
    if form.errors:
        return redirect(_address(".balances"), 303)
    day = form.last.data.isoformat()
    note_download(_places(form, mine), "balances", "", day)
    return xlsx_response(f"soldes-{day}", [Sheet(_("Balances"), _balance_columns(), _rows(_balances(form, mine)))])


# -- what is looked for ------------------------------------------------------------------------------------------


def _form(form: Any) -> Any:
    """Read and checked; the last seven days unless others are chosen."""
    form.today = civil_day(db.now(), ZoneInfo(kpi.GROUP_ZONE))
    form.validate()
    if not form.errors:
        days = form.days() if form.first.data or form.last.data else None
        days = days or spans.last_days(form.today, _DAYS_AT_FIRST)
        form.first.data, form.last.data = days.first, days.last
    return form


def _search(form: LedgerForm, mine: Sequence[Establishment]) -> Search:
    zone, (first, last) = _zone(mine), _days(form)
    return Search(
        places=_places(form, mine),
        since=_start(first, zone),
        before=_start(last + timedelta(days=1), zone),
        kind=form.chosen("mouvement"),
        psp=form.chosen("site"),
        means=form.chosen("moyen"),
        account=form.guichet.data or "",
        bill_source=form.source.data or "",
        after=_read(request.args.get("apres", "")),
    )


def _balances(form: DayForm, mine: Sequence[Establishment]) -> Sequence[Balance]:
    return queries.balances(_places(form, mine), _start(_days(form)[1] + timedelta(days=1), _zone(mine)))


def _places(form: Any, mine: Sequence[Establishment]) -> frozenset[UUID]:
    return frozenset(place.id for place in mine if form.etablissement.data in ("", None, place.finess)) or frozenset(
        place.id for place in mine
    )


def _days(form: Any) -> tuple[date, date]:
    """The first and the last one, which `_form` filled in."""
    return form.first.data, form.last.data


def _zone(mine: Sequence[Establishment]) -> ZoneInfo:
    """The clock of the days: the hospital's own when there is one alone."""
    return mine[0].tz if len(mine) == 1 else ZoneInfo(kpi.GROUP_ZONE)


def _start(day: date, zone: ZoneInfo) -> datetime:
    return to_utc_or_after(day, time(), zone)


def _read(text: str) -> Place | None:
    moment, _mark, entry_id = text.partition("_")
    try:
        at = datetime.fromisoformat(moment)
        return Place(at, UUID(entry_id)) if at.tzinfo else None
    except ValueError:
        return None


def _written(place: Place) -> str:
    return f"{place.booked_at.isoformat()}_{place.entry_id}"


def _address(endpoint: str, **values: Any) -> str:
    kept: dict[str, Any] = {name: text for name, text in request.args.items() if name not in ("apres", "lang")}
    return url_for(endpoint, **kept, **values)


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("billing")))


# -- workbooks ---------------------------------------------------------------------------------------------------


def _journal_columns() -> list[Column]:
    return [
        Column(_("Written on"), "moment", 20),
        Column(_("Paid on"), "moment", 20),
        Column(_("Entry"), width=38),
        Column(_("Hospital"), width=24),
        Column(_("Movement"), width=24),
        Column(_("Provider"), width=10),
        Column(_("Means"), width=16),
        Column(_("Counter"), width=14),
        Column(_("Bill source"), width=14),
        Column(_("Account"), width=28),
        Column(_("Debit"), "euros", 14),
        Column(_("Credit"), "euros", 14),
        Column(_("Provider’s number"), width=24),
        Column(_("Provider’s operation"), width=38),
        Column(_("Evidence only"), width=14),
        Column(_("Test"), width=8),
        Column(_("Accountant’s reference"), width=24),
    ]


def _journal_rows(search: Search, names: dict[UUID, str]) -> Iterator[list[Any]]:
    yes = _("yes")
    for entry, line in queries.entries(search):
        yield [
            entry.booked_at, entry.moved_at, entry.id, names[entry.establishment_id], ENTRY_WORDS[entry.kind],
            PSP_WORDS.get(entry.psp, entry.psp), MEANS_WORDS.get(entry.means, entry.means), entry.account,
            entry.bill_source, line.account, line.debit_cents or None, line.credit_cents or None, entry.number,
            entry.psp_ref, yes if entry.is_memo else "", yes if entry.is_test else "", entry.note,
        ]  # fmt: skip


def _balance_columns() -> list[Column]:
    return [
        Column(_("Account"), width=36),
        Column(_("Debit"), "euros"),
        Column(_("Credit"), "euros"),
        Column(_("Balance"), "euros"),
    ]


def _rows(found: Sequence[Balance]) -> Iterator[list[Any]]:
    for each in found:
        yield [each.account, each.debit_cents, each.credit_cents, each.balance_cents]
    debit, credit = sum(each.debit_cents for each in found), sum(each.credit_cents for each in found)
    yield [_("Total"), debit, credit, debit - credit]
