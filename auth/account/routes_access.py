"""Who opened my file: every line, in words, by year and hospital; as a page to print and as a file to keep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.account import access_log
from auth.account.access_log import GROUP_ZONE, Places, Search
from auth.account.wording import is_emergency, what_words, who_words
from auth.support import queries as support
from portal import audit, db
from portal.audit import AuditEvent
from portal.web.spreadsheets import csv_response

access_pages = guards.patients(
    Blueprint("account_access", __name__, url_prefix="/mon-compte/acces", template_folder="templates"), "account"
)


@dataclass(frozen=True)
class Row:
    """One line in words."""

    at: datetime
    place: str
    who: str
    what: str
    is_emergency: bool


@access_pages.get("")
def log() -> str:
    """Filters by address: annee, etablissement (FINESS), autres (without what I did); `avant` goes on from a line."""
    places = access_log.places()
    search = _search(places)
    page = access_log.lines(search)
    return render_template(
        "account/access.html",
        search=search,
        page=page,
        rows=[_row(event, places) for event in page.lines],
        places=places,
        years=_years(search.patient_id),
        older=_address("account_access.log", avant=page.older) if page.older else "",
        newest=_address("account_access.log") if search.before else "",
        download=_address("account_access.download"),
        is_mine=_is_mine(),
        support=support.of_person(search.patient_id) if _is_mine() else (),
    )


@access_pages.get("/telecharger.csv")
def download() -> Response:
    """The same lines, all of them, for a spreadsheet."""
    places = access_log.places()
    search, yes = _search(places), _("yes")
    lines = [
        [
            f"{row.at.astimezone(GROUP_ZONE):%Y-%m-%d %H:%M:%S}",
            row.place,
            row.who,
            row.what,
            yes if row.is_emergency else "",
        ]
        for row in (_row(event, places) for event in access_log.all_lines(search))
    ]
    headers = [_("When"), _("Hospital"), _("Who"), _("What"), _("Emergency access")]
    audit.record("access_log.downloaded", patient_id=search.patient_id, object_kind="patient")
    return csv_response(_("who-opened-my-file"), headers, lines)


@access_pages.get("/pourquoi")
def reasons() -> str:
    """Why people open a file, who they are, and what to do about a line that surprises."""
    return render_template("account/access_reasons.html")


def _search(places: Places) -> Search:
    finess = request.args.get("etablissement", "")
    hospital = next((each for each in places.hospitals.values() if each.finess == finess), None)
    if finess and hospital is None:
        abort(404)
    year, before = request.args.get("annee", type=int), request.args.get("avant", type=int)
    return Search(
        guards.patient_id(),
        year if year is not None and 2000 <= year <= 2200 else None,
        hospital.id if hospital else None,
        bool(request.args.get("autres")),
        before if before is not None and 0 < before < 2**63 else None,
    )


def _years(patient_id: UUID) -> list[int]:
    this_year = db.now().astimezone(GROUP_ZONE).year
    return list(range(this_year, (access_log.first_year(patient_id) or this_year) - 1, -1))


def _row(event: AuditEvent, places: Places) -> Row:
    hospital = places.hospitals.get(event.establishment_id) if event.establishment_id else None
    return Row(
        event.at,
        (hospital.short_name or hospital.name) if hospital else str(_("The portal")),
        who_words(event, db.current_actor().account_id, _is_mine(), places),
        what_words(event),
        is_emergency(event),
    )


def _is_mine() -> bool:
    current = sessions.signed_in()
    return current is not None and not current.is_for_somebody_else


def _address(endpoint: str, **values: Any) -> str:
    names = [name for name in ("annee", "etablissement", "autres") if request.args.get(name)]
    kept: dict[str, Any] = {name: request.args[name] for name in names}
    return url_for(endpoint, **kept, **values)
