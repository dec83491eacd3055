"""The patient's pages: my files, the steps of a draft, the receipt, what the hospital answered."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.fields import DateParts
from portal.web.forms import Form
from portal.web.repeated_posts import once
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.forms import DepositForm
from services.pieces.models import HAS_EXPIRY, Piece
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, queries, wording
from services.preadmission.actions import Incomplete, NotEditable, StayInThePast, UnitNotOpen
from services.preadmission.forms import CancelForm, ContactForm, CoverageForm, RelativeForm, SendForm, StayForm
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused

patient_pages = guards.patients(
    Blueprint("preadmission", __name__, url_prefix="/pre-admission", template_folder="templates"), "preadmission"
)
F = TypeVar("F", bound=Form)
Answer = str | Response | tuple[str, int]


@patient_pages.get("")
def home() -> str:
    """My files, and the way to a new one."""
    return render_template("preadmission/home.html", files=queries.of_patient(guards.patient_id()), words=wording)


# -- a new file ----------------------------------------------------------------------------------------------------


@patient_pages.route("/nouvelle", methods=["GET", "POST"])
@once
def start() -> Answer:
    """The first step: it opens the draft."""
    form = _form(StayForm)
    units = queries.units_on_offer()
    form.offer(units)
    if form.validate_on_submit():
        try:
            made = actions.start(guards.patient_id(), form.answers())
        except (UnitNotOpen, StayInThePast) as refused:
            _explain(form, refused)
        else:
            return redirect(url_for(".identity", preadmission_id=made.id), 303)
    steps = [{"title": title} for title in wording.STEPS.values()]
    page = render_template("preadmission/stay.html", form=form, file=None, steps=steps, units=units)
    return page, _status(form)


# -- the steps of a draft ------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/sejour", methods=["GET", "POST"])
def stay(preadmission_id: UUID) -> Answer:
    """Another unit of the same hospital, another day."""
    file = _one(preadmission_id)
    form = _form(StayForm, unit_id=str(file.unit_id), planned_on=file.planned_on, stay_kind=file.stay_kind)
    form.offer(queries.units_on_offer(file.establishment_id))
    return _step("stay", file, form, lambda: actions.change_stay(file, form.answers()))


@patient_pages.route("/<uuid:preadmission_id>/identite", methods=["GET", "POST"])
def identity(preadmission_id: UUID) -> Answer:
    """Strict traits to read, the rest to fill; a first visit starts from what the account says."""
    file = _one(preadmission_id)
    form = _form(ContactForm, **_contact_of(file))
    return _step("identity", file, form, lambda: actions.fill_contact(file, form.answers()))


@patient_pages.route("/<uuid:preadmission_id>/prise-en-charge", methods=["GET", "POST"])
def coverage(preadmission_id: UUID) -> Answer:
    file = _one(preadmission_id)
    form = _form(CoverageForm, obj=file)
    return _step("coverage", file, form, lambda: actions.fill_coverage(file, form.answers()))


@patient_pages.route("/<uuid:preadmission_id>/personne-a-prevenir", methods=["GET", "POST"])
def relative(preadmission_id: UUID) -> Answer:
    file = _one(preadmission_id)
    form = _form(RelativeForm, obj=file)
    return _step("relative", file, form, lambda: actions.fill_relative(file, form.answers()))


@patient_pages.get("/<uuid:preadmission_id>/pieces")
def pieces(preadmission_id: UUID) -> Answer:
    """Which documents are asked for, and where each stands."""
    file = _one(preadmission_id)
    if file.state != "draft":
        return redirect(_page_of(file), 303)
    return _page("pieces", file, pieces=piece_queries.of_folder(file.id))


@patient_pages.route("/<uuid:preadmission_id>/verification", methods=["GET", "POST"])
@once
def check(preadmission_id: UUID) -> Answer:
    """Everything on one page, then the button that sends it."""
    file, form = _one(preadmission_id), SendForm()
    if file.state != "draft":
        return redirect(_page_of(file), 303)
    missing = actions.missing_from(file)
    if form.validate_on_submit():
        try:
            actions.submit(file)
        except Incomplete as incomplete:
            form.form_errors.append(_("Something is missing: see the steps marked “To do”."))
            missing = incomplete.missing
        except StayInThePast as past:
            _explain(form, past)
            missing = frozenset({"stay"})
        else:
            return redirect(url_for(".receipt", preadmission_id=file.id), 303)
    page = _page("check", file, form=form, pieces=piece_queries.of_folder(file.id), missing=missing)
    return page, _status(form)


# -- one piece -----------------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/pieces/<uuid:piece_id>", methods=["GET", "POST"])
def piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    """Send one document. The upload is received before anything is written, and survives a refused form."""
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    if not _takes_files(file, wanted):
        return redirect(_page_of(file), 303)
    form = _form(DepositForm, expires_on=wanted.expires_on)
    kept = None
    if form.is_submitted():
        valid = form.validate()
        kept = form.take_upload()
        _refuse_expired(form.expires_on, file)
        if valid and kept is not None and not form.errors:
            answer: Response = _deposit(preadmission_id=file.id, piece_id=wanted.id, file_id=kept.id, form=form)
            return answer
    return _piece_page(file, wanted, form, kept)


@once
def _deposit(preadmission_id: UUID, piece_id: UUID, file_id: UUID, form: DepositForm) -> Response:
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    expires_on = form.expires_on.data if wanted.kind in HAS_EXPIRY else None
    try:
        with session.begin_nested():
            actions.deposit_piece(file, wanted, file_id, expires_on)
    except (NotEditable, PieceTransitionRefused, FileNotReadable):
        flash(_("This document could not be replaced: the file has changed in the meantime."), "warning")
        return redirect(_page_of(file), 303)
    if file.state == "completed":
        flash(_("Thank you. Everything is back with the hospital, which will answer you here."), "success")
    else:
        flash(_("Your document has arrived."), "success")
    return redirect(_page_of(file, "pieces"), 303)


@patient_pages.get("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/fichier")
def piece_file(preadmission_id: UUID, piece_id: UUID) -> Response:
    """What I sent, as I sent it."""
    _file, wanted = _one_with_piece(preadmission_id, piece_id)
    try:
        return file_response(actions.open_piece(wanted), inline=True)
    except FileNotReadable:
        abort(404)


# -- a file that was sent ------------------------------------------------------------------------------------------


@patient_pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> str:
    """Where the file stands, what the hospital answered, what to do now."""
    file = _one(preadmission_id)
    return _page(
        "show",
        file,
        pieces=piece_queries.of_folder(file.id),
        history=queries.history(file.id),
        missing=actions.missing_from(file) if file.state == "draft" else frozenset(),
    )


@patient_pages.get("/<uuid:preadmission_id>/accuse-de-reception")
def receipt(preadmission_id: UUID) -> Answer:
    """The numbered receipt, to print or keep (CRPA, articles L112-11 and R112-11-1)."""
    file = _one(preadmission_id)
    if file.submitted_at is None:
        return redirect(_page_of(file), 303)
    return _page("receipt", file, pieces=piece_queries.of_folder(file.id))


@patient_pages.route("/<uuid:preadmission_id>/annuler", methods=["GET", "POST"])
def cancel(preadmission_id: UUID) -> Answer:
    """Ask once, then give the file up."""
    file, form = _one(preadmission_id), CancelForm()
    if not form.validate_on_submit():
        return _page("cancel", file, form=form), _status(form)
    try:
        actions.cancel(file)
    except TransitionRefused:
        flash(_("This file was already closed."), "info")
    else:
        flash(_("Your file is cancelled."), "success")
    return redirect(url_for(".home"), 303)


# -- shared --------------------------------------------------------------------------------------------------------


def _one(preadmission_id: UUID) -> Preadmission:
    return queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404)


def _one_with_piece(preadmission_id: UUID, piece_id: UUID) -> tuple[Preadmission, Piece]:
    file = _one(preadmission_id)
    return file, piece_queries.one_of_folder(file.id, piece_id) or abort(404)


def _form(kind: type[F], **values: Any) -> F:
    """The form with what was saved, or with what had been typed when the session ended."""
    held = held_forms.take()
    return kind(formdata=held, **values) if held else kind(**values)


def _page(name: str, file: Preadmission, **shown: Any) -> str:
    steps = [{"title": title, "href": _page_of(file, step)} for step, title in wording.STEPS.items()]
    return render_template(
        f"preadmission/{name}.html", file=file, steps=steps, words=wording, piece_words=piece_wording, **shown
    )


def _status(form: Form) -> int:
    return 422 if form.errors or form.form_errors else 200


def _step(name: str, file: Preadmission, form: Any, save: Callable[[], None]) -> Answer:
    """Show a step, or save it and go to the next one (or back to the file, for later)."""
    if file.state != "draft":
        return redirect(_page_of(file), 303)
    if form.validate_on_submit():
        try:
            save()
        except (UnitNotOpen, StayInThePast) as refused:
            _explain(form, refused)
        except NotEditable:
            return redirect(_page_of(file), 303)
        else:
            return redirect(_page_of(file, "" if "later" in request.form else _after(name)), 303)
    return _page(name, file, form=form), _status(form)


def _after(step: str) -> str:
    names = list(wording.STEPS)
    return names[names.index(step) + 1]


def _page_of(file: Preadmission, step: str = "") -> str:
    """The address of a step while the file is a draft, else of the file itself."""
    endpoint = step if step and file.state == "draft" else "show"
    return url_for(f".{endpoint}", preadmission_id=file.id)


def _contact_of(file: Preadmission) -> dict[str, str]:
    if "identity" in file.steps_done:
        return {name: getattr(file, name) for name in ("used_name", "phone", "email", "address")}
    return {"used_name": file.patient.used_name, "phone": file.patient.mobile, "email": file.patient.email}


def _explain(form: Any, refused: Exception) -> None:
    """Say what an action refused, where it can be corrected."""
    if isinstance(refused, StayInThePast):
        words, field = _("This day has passed: write the day you are expected."), form._fields.get("planned_on")
    else:
        words, field = _("This unit does not take online files any more. Call the hospital."), form.unit_id
    if field is None:
        form.form_errors.append(words)
    else:
        field.errors = [*field.errors, words]


def _takes_files(file: Preadmission, piece: Piece) -> bool:
    return file.state == "draft" or (file.state == "to_complete" and piece.is_to_redo)


def _refuse_expired(field: DateParts, file: Preadmission) -> None:
    if field.data is not None and field.data < file.planned_on:
        words = _("This document will not be valid on the day of your stay: send another one.")
        field.errors = [*field.errors, words]


def _piece_page(file: Preadmission, piece: Piece, form: DepositForm, kept: StoredFile | None) -> Answer:
    page = _page("piece", file, form=form, piece=piece, kept=kept, has_expiry=piece.kind in HAS_EXPIRY)
    return page, _status(form)
