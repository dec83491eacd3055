"""On paper and in spreadsheets: expected admissions for the day the network is down, the cover of a file, figures."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from flask import render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_preadmission import asked, here, preadmission_pages
from admin.routes_preadmission_files import one
from portal import audit, calendar, db, establishments
from portal.web.spreadsheets import csv_response
from portal.web.ui import moment
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.preadmission import queries, steps, wording
from services.preadmission.actions import traces
from services.preadmission.office import figures as office_figures
from services.preadmission.office import queries as office
from services.preadmission.office import wording as office_words
from services.preadmission.queries import Row, TrayFilter

_AHEAD = timedelta(days=3)


@preadmission_pages.get("/attendus")
def expected() -> str:
    """Who is expected, by day and unit, to print: the list of a day without a network."""
    wanted = _days()
    rows = queries.of_days(here(), wanted)
    _write_down(wanted)
    days = [
        (day, [(unit, list(files)) for unit, files in groupby(of_day, key=lambda row: row.file.unit)])
        for day, of_day in groupby(rows, key=lambda row: row.file.planned_on)
    ]
    return render_template(
        "admin/preadmission/expected.html",
        days=days,
        wanted=wanted,
        units=queries.units_of(here()),
        count=len(rows),
        pieces=piece_queries.of_folders([row.file.id for row in rows]),
        printed_at=db.now(),
        words=wording,
        piece_words=piece_wording,
        office_words=office_words,
    )


@preadmission_pages.get("/attendus/fichier")
def expected_file() -> Response:
    """The same list for a spreadsheet: neither number nor address of a person is in it."""
    wanted = _days()
    rows = queries.of_days(here(), wanted)
    _write_down(wanted)
    headers = [
        _("Day"), _("Hospital"), _("Unit"), _("Place"), _("Reference"), _("Name"), _("Birth name"), _("First name"),
        _("Born on"), _("Kind of stay"), _("State"), _("Received"), _("Agent"), _("Stay number"),
    ]  # fmt: skip
    return csv_response(f"admissions-{wanted.first}-{wanted.last}", headers, [_cells(row) for row in rows])


def _cells(row: Row) -> Sequence[object]:
    file, person = row.file, row.file.patient
    who: Sequence[object] = (
        (person.used_name or person.birth_name, person.birth_name, person.first_name, person.birth_on.isoformat())
        if row.named
        else (_("Secret stay"), "", "", "")
    )
    return [
        file.planned_on.isoformat(), file.establishment.name, file.unit.name, file.unit.site.name, file.reference, *who,
        str(office_words.STAY_KINDS[file.stay_kind]), str(wording.STATES[file.state][0]),
        moment(file.submitted_at) if file.submitted_at else "", file.agent_name, file.visit_number if row.named else "",
    ]  # fmt: skip


def _days() -> TrayFilter:
    """Today and the three days that follow unless the address says otherwise; a month at most."""
    wanted = asked()
    first = wanted.first or _today()
    last = min(max(wanted.last or first + _AHEAD, first), first + timedelta(days=31))
    return TrayFilter(first=first, last=last, unit_id=wanted.unit_id, site_id=wanted.site_id)


def _today() -> date:
    where = next((each for each in establishments.establishments() if each.id in here()), None)
    return calendar.civil_day(db.now(), where.tz if where else calendar.GROUP_ZONE)


def _write_down(wanted: TrayFilter) -> None:
    for establishment_id in here():
        audit.record(
            "preadmission.listed",
            establishment_id=establishment_id,
            object_kind="preadmission",
            days=f"{wanted.first}/{wanted.last}",
        )


@preadmission_pages.get("/<uuid:preadmission_id>/couverture")
def cover(preadmission_id: UUID) -> str:
    """One file on a sheet of paper, to go with what is on paper. Written down."""
    file = one(preadmission_id)
    traces.record("preadmission.printed", file)
    answers, pieces = queries.sent_of(file), piece_queries.of_folder(file.id)
    notes = [each for each in office.story(file.id, {}) if each.what == "note"]
    return render_template(
        "admin/preadmission/cover.html",
        file=file,
        told=steps.told_of(answers),
        pieces=pieces,
        notes=notes,
        printed_at=db.now(),
        printed_by=db.current_actor().name,
        words=wording,
        piece_words=piece_wording,
        office_words=office_words,
    )


@preadmission_pages.get("/chiffres")
def figures() -> str:
    """How the day goes: of the team, never of one agent."""
    day = asked().first or _today()
    found = office_figures.of_day(here(), day)
    return render_template(
        "admin/preadmission/figures.html",
        figures=found,
        day=day,
        earlier=day - timedelta(days=1),
        later=day + timedelta(days=1) if day < _today() else None,
        piece_words=piece_wording,
        office_words=office_words,
    )
