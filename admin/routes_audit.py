"""The journal of an auditor's hospitals: who did what to whose file."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _

from admin import actions_audit, forms_figures, queries_audit, queries_figures
from admin.forms_audit import JournalForm
from admin.queries_audit import Page, Search
from auth import guards
from auth.emergencies import queries as emergencies
from auth.wording import ACTIONS
from portal import db, kpi
from portal.calendar import civil_day
from portal.establishments import Establishment
from portal.web.fields import choices

journal_pages = guards.staff(
    Blueprint("admin_audit", __name__, url_prefix="/admin/journal", template_folder="templates"), right="audit"
)


@journal_pages.get("")
def journal() -> tuple[str, int]:
    """Filters by address: from, to, establishment (FINESS), actor, action; `before` goes on from an event's id."""
    mine = queries_figures.hospitals(guards.establishments("audit"))
    hospital = _hospital(mine)
    zone = hospital.tz if hospital else ZoneInfo(kpi.GROUP_ZONE)
    form = _form(mine, zone)
    search = _search(form, frozenset([hospital.id] if hospital else [each.id for each in mine]), zone)
    page = queries_audit.events(search) if not form.errors else Page([], None)
    if search.before is None and not form.errors:
        actions_audit.open_journal(search.establishment_ids)
    rendered = render_template(
        "admin/audit/journal.html",
        form=form,
        page=page,
        names={each.id: each.short_name or each.name for each in mine},
        codes=sorted(ACTIONS),
        older=_older(page),
        newest=_address() if search.before else "",
        to_judge=emergencies.count_to_judge(guards.establishments("audit")),
    )
    return rendered, 422 if form.errors else 200


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
        days = form.days() or forms_figures.quick_days("7-days", form.today)
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
    )


def _before() -> int | None:
    number = request.args.get("before", type=int)
    return number if number is not None and 0 < number < 2**63 else None


def _older(page: Page) -> str:
    return _address(before=page.older) if page.older else ""


def _address(**values: Any) -> str:
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name not in ("before", "lang")}
    return url_for("admin_audit.journal", **kept, **values)
