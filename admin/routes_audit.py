"""The journal of an auditor's hospitals: who did what to whose file."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext as _

from admin import actions_audit, audit_words, queries_audit, queries_figures
from admin.forms_audit import JournalForm, identifier
from admin.queries_audit import Line, Page, Search
from auth import guards
from auth.emergencies import queries as emergencies
from auth.oversight import queries as oversight
from auth.wording import ACTIONS, WHO
from auth.wording import audit_words as words_of
from portal import db, kpi
from portal.audit import verifying
from portal.calendar import civil_day
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.spreadsheets import csv_response
from services.appointments.forms import FindPatientForm
from services.appointments.queries import find_patients

journal_pages = guards.staff(
    Blueprint("admin_audit", __name__, url_prefix="/admin/journal", template_folder="templates"), right="audit"
)
_NARROWING = ("agent", "patient", "object")


@journal_pages.get("")
def journal() -> tuple[str, int]:
    """Filters by address: from, to, establishment (FINESS), actor, action, agent, patient, object (ids); `before` goes
    on from an event's id."""
    mine, form, search = _asked()
    page = queries_audit.events(search) if not form.errors else Page([], None)
    if search.before is None and not form.errors:
        actions_audit.open_journal(search.establishment_ids, search.patient)
    rendered = render_template(
        "admin/audit/journal.html",
        form=form,
        page=page,
        names={each.id: each.short_name or each.name for each in mine},
        codes=sorted(ACTIONS),
        kind_words=audit_words.kind_words,
        details=audit_words.details,
        narrowed=_narrowed(search, page),
        address=_address,
        older=_address(before=page.older) if page.older else "",
        newest=_address() if search.before else "",
        verified=next(iter(verifying.last()), None),
        **_to_look_at(),
    )
    return rendered, 422 if form.errors else 200


@journal_pages.get("/export")
def export() -> Response:
    """The same search as CSV, up to twenty thousand lines; who took what away is written down."""
    mine, form, search = _asked()
    if form.errors:
        abort(422)
    lines = list(queries_audit.every_event(search))
    actions_audit.export_journal(search.establishment_ids, len(lines), search.patient)
    names = {each.id: each.finess for each in mine}
    headers = (_("Moment (UTC)"), _("Who"), _("Actor"), _("What"), _("Code"), _("Person"), _("Hospital (FINESS)"),
               _("Kind of thing"), _("Identifier of the thing"), _("Details"), _("Number"))  # fmt: skip
    rows = (_row(line, names) for line in lines)
    return csv_response(f"journal-{search.first}-{search.last}", headers, rows)


@journal_pages.route("/personne", methods=["GET", "POST"])
def find_person() -> str | tuple[str, int]:
    """Whose file: found by a post, so that names stay out of addresses and logs; then searched by id."""
    form = FindPatientForm()
    form.offer({str(each.id): each.name for each in _mine()})
    if request.method == "GET":
        return render_template("admin/audit/find_person.html", form=form, found=None)
    if not form.validate():
        return render_template("admin/audit/find_person.html", form=form, found=None), 422
    found = find_patients(
        UUID(form.establishment.data),
        ipp=(form.ipp.data or "").strip(),
        birth_name=form.birth_name.data or "",
        birth_on=form.birth_on.data,
    )
    return render_template("admin/audit/find_person.html", form=form, found=found)


def _mine() -> Sequence[Establishment]:
    return queries_figures.hospitals(guards.establishments("audit"))


def _to_look_at() -> dict[str, int]:
    """What waits for an auditor elsewhere."""
    ids = guards.establishments("audit")
    return {"to_judge": emergencies.count_to_judge(ids), "unusual": oversight.count_unusual(ids)}


def _asked() -> tuple[Sequence[Establishment], JournalForm, Search]:
    mine = _mine()
    hospital = _hospital(mine)
    zone = hospital.tz if hospital else ZoneInfo(kpi.GROUP_ZONE)
    form = _form(mine, zone)
    return mine, form, _search(form, frozenset([hospital.id] if hospital else [each.id for each in mine]), zone)


def _hospital(mine: Sequence[Establishment]) -> Establishment | None:
    finess = request.args.get("establishment", "")
    found = next((each for each in mine if each.finess == finess), None)
    if finess and found is None:
        abort(404)
    return found


def _form(mine: Sequence[Establishment], zone: ZoneInfo) -> JournalForm:
    form = JournalForm(formdata=request.args)
    form.today = civil_day(db.now(), zone)
    everyone = [("", _("All my hospitals"))] if len(mine) > 1 else []
    form.establishment.choices = choices([*everyone, *((each.finess, each.name) for each in mine)])
    form.validate()
    if not form.errors:
        days = form.days() or form.default_days()
        form.first.data, form.last.data = days.first, days.last
    return form


def _search(form: JournalForm, establishment_ids: frozenset[UUID], zone: ZoneInfo) -> Search:
    return Search(
        establishment_ids,
        form.first.data or form.today,
        form.last.data or form.today,
        zone,
        (form.action.data or "").strip("."),
        (form.actor.data or "").strip().replace("\x00", ""),
        _before(),
        agent=identifier(form.agent),
        patient=identifier(form.patient),
        object_id=identifier(form.object),
    )


def _before() -> int | None:
    number = request.args.get("before", type=int)
    return number if number is not None and 0 < number < 2**63 else None


def _narrowed(search: Search, page: Page) -> list[tuple[str, str]]:
    """What one person or thing the search is about, in words, and the address of the same search without it."""
    found = []
    if search.agent is not None:
        # As the lines name them: an auditor reads no agent's account.
        name = page.lines[0].event.actor_name if page.lines else "–"
        found.append((_("Acts of %(name)s", name=name), _address(agent=None)))
    if search.patient is not None:
        patient = queries_audit.patient(search.patient)
        name = patient.full_name if patient else _("a person you may not see")
        found.append((_("File of %(name)s", name=name), _address(patient=None)))
    if search.object_id is not None:
        found.append((_("One thing: %(id)s", id=search.object_id), _address(object=None)))
    return found


def _address(endpoint: str = "admin_audit.journal", /, **values: Any) -> str:
    """The same search, changed so; None takes a condition away. A new person or thing is looked at over a year."""
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name not in ("before", "lang")}
    if any(values.get(name) for name in _NARROWING):
        kept = {name: value for name, value in kept.items() if name == "establishment"}
    return url_for(endpoint, **{**kept, **values})


def _row(line: Line, finess: dict[UUID, str]) -> tuple[object, ...]:
    event = line.event
    facts = "; ".join(f"{name}: {value}" for name, value in audit_words.details(event.details))
    return (
        event.at.isoformat(timespec="seconds"),
        str(WHO.get(event.actor) or event.actor_name),
        event.actor,
        words_of(event.action),
        event.action,
        str(event.patient_id or ""),
        finess.get(event.establishment_id, "") if event.establishment_id else "",
        audit_words.kind_words(event.object_kind),
        str(event.object_id or ""),
        facts,
        event.id,
    )
