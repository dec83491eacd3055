"""The identity unit's tray of mandates: read the proof, say whose record it is, accept or refuse, take back."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_mandates import CheckForm, RefuseForm, SearchForm
from auth import guards, records
from auth.mandates import actions, ages, queries, wording
from auth.mandates.facts import ForOneself, MeasureOver, NotAMinor, NothingInScope, NotPossible
from auth.mandates.models import Mandate
from auth.mandates.states import TransitionRefused
from portal import db
from portal.files import FileNotReadable
from portal.web.downloads import file_response

RIGHT = "identity"
pages = guards.staff(
    Blueprint("admin_mandates", __name__, url_prefix="/admin/identites/mandats", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def tray() -> str:
    """What waits first; what is in force; what is over."""
    group = request.args.get("groupe", "")
    group = group if group in queries.GROUPS else "requested"
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    found = queries.at(_hospitals(), group, page)
    return render_template(
        "admin/mandates/tray.html",
        group=group,
        found=found[: queries.PAGE_SIZE],
        waiting=queries.waiting_at(_hospitals()),
        page=page,
        more=len(found) > queries.PAGE_SIZE,
        words=wording,
    )


@pages.get("/<uuid:mandate_id>")
def show(mandate_id: UUID) -> str:
    """What was typed beside the hospital's records. Opening it is written down."""
    mandate = _one(mandate_id)
    actions.look(mandate)
    return _page(mandate)


@pages.post("/<uuid:mandate_id>/rechercher")
def search(mandate_id: UUID) -> Answer:
    """Look for another patient; by a post, so that no address holds a name."""
    mandate, form = _one(mandate_id), SearchForm(prefix="search")
    valid = form.validate()
    return _page(mandate, search=form), 200 if valid else 422


@pages.get("/<uuid:mandate_id>/justificatif")
def proof(mandate_id: UUID) -> Response:
    """The document as it was sent. Opening it is written down."""
    try:
        return file_response(actions.open_proof(_one(mandate_id)), inline="telecharger" not in request.args)
    except FileNotReadable:
        abort(404)


# -- decisions -------------------------------------------------------------------------------------------------------


@pages.post("/<uuid:mandate_id>/accepter")
def accept(mandate_id: UUID) -> Answer:
    """The proof is good: the person acts from now on."""
    mandate, search = _one(mandate_id), SearchForm(prefix="search")
    form = CheckForm()
    form.offer(mandate, _found(mandate, search))
    if not form.validate():
        return _page(mandate, check=form, search=search, form=form), 422
    try:
        actions.check(mandate, form.checked())
    except (NotAMinor, ForOneself, MeasureOver, NothingInScope, NotPossible) as refusal:
        _explain(form, refusal)
        return _page(_one(mandate_id), check=form, search=search, form=form), 422
    except TransitionRefused:
        flash(_("Not done: this request has changed in the meantime."), "warning")
    else:
        flash(_("Accepted. Both people have been told."), "success")
    return redirect(url_for(".show", mandate_id=mandate_id), 303)


@pages.post("/<uuid:mandate_id>/refuser")
def refuse(mandate_id: UUID) -> Answer:
    mandate, form = _one(mandate_id), RefuseForm(prefix="refuse")
    if not form.validate():
        return _page(mandate, refuse=form, form=form), 422
    try:
        actions.refuse(mandate, form.reason.data)
    except TransitionRefused:
        flash(_("Not done: this request has changed in the meantime."), "warning")
    else:
        flash(_("Refused. The person has been told why."), "success")
    return redirect(url_for(".show", mandate_id=mandate_id), 303)


@pages.post("/<uuid:mandate_id>/retirer")
def revoke(mandate_id: UUID) -> Response:
    """A judge decided otherwise, or the proof was false: it ends at once."""
    try:
        actions.revoke(_one(mandate_id), "by_hospital")
    except TransitionRefused:
        flash(_("It had ended already."), "info")
    else:
        flash(_("Taken back. It has ended in every open window, and both people have been told."), "success")
    return redirect(url_for(".show", mandate_id=mandate_id), 303)


@pages.post("/<uuid:mandate_id>/creer-le-dossier")
def register_patient(mandate_id: UUID) -> Response:
    """Nobody of that name is known here: open a record with what was typed, of provisional identity."""
    mandate = _one(mandate_id)
    if mandate.state != "requested" or mandate.asked_birth_on is None or mandate.establishment_id is None:
        abort(404)
    records.register_patient(
        mandate.establishment_id,
        birth_name=mandate.asked_birth_name,
        first_name=mandate.asked_first_names.split(",")[0].split()[0],
        birth_on=mandate.asked_birth_on,
    )
    flash(_("Record created, of provisional identity. Choose it, then accept."), "success")
    return redirect(url_for(".show", mandate_id=mandate_id), 303)


def _explain(form: CheckForm, refusal: Exception) -> None:
    """Why it was refused, where the agent can change it."""
    if isinstance(refusal, NotAMinor):
        form.patient_id.errors = [_("This patient is of age: a parent no longer acts for them.")]
    elif isinstance(refusal, ForOneself):
        form.patient_id.errors = [_("This is the record of the very person who asks.")]
    elif isinstance(refusal, MeasureOver):
        form.ends_on.errors = [_("This day is past: ask for the renewed judgement.")]
    elif isinstance(refusal, NothingInScope):
        form.scopes.errors = [_("Tick at least one box.")]
    else:
        form.patient_id.errors = [_("This hospital does not know this patient.")]


# -- shared ----------------------------------------------------------------------------------------------------------


def _page(mandate: Mandate, *, search: SearchForm | None = None, **shown: Any) -> str:
    search = search or SearchForm(formdata=None, prefix="search")
    found = _found(mandate, search) if mandate.state == "requested" else []
    blank = {"check": _blank_check(mandate, found), "refuse": RefuseForm(formdata=None, prefix="refuse"), "form": None}
    return render_template(
        "admin/mandates/show.html",
        mandate=mandate,
        found=found,
        exact=[patient.id for patient, _ipp in found if _is_exact(mandate, patient.birth_name, patient.birth_on)],
        search=search,
        changes=queries.changes(mandate),
        comes_of_age=ages.majority_on(mandate.asked_birth_on) if mandate.asked_birth_on else None,
        words=wording,
        **blank | shown,
    )


def _blank_check(mandate: Mandate, found: Any) -> CheckForm:
    form = CheckForm(
        formdata=None, scopes=list(mandate.scopes), judged_on=mandate.judged_on, ends_on=mandate.asked_ends_on
    )
    form.offer(mandate, found)
    return form


def _found(mandate: Mandate, search: SearchForm) -> Any:
    """Who may be meant: as searched, else as typed."""
    assert mandate.establishment_id is not None, "row-level security shows requests of hospitals alone"
    name, born_on = search.name.data or "", search.born_on.data
    if not name and born_on is None:
        name, born_on = mandate.asked_birth_name, mandate.asked_birth_on
    return queries.candidates(mandate.establishment_id, name, born_on)


def _is_exact(mandate: Mandate, birth_name: str, birth_on: object) -> bool:
    return birth_name.casefold() == mandate.asked_birth_name.casefold() and birth_on == mandate.asked_birth_on


def _hospitals() -> frozenset[UUID]:
    return db.current_actor().rights.get(RIGHT, frozenset())


def _one(mandate_id: UUID) -> Mandate:
    return queries.one_at(mandate_id, _hospitals()) or abort(404)
