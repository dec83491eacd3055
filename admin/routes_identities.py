"""The identity unit: links that wait, people who may be one, a patient's identity page, codes by letter."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_identities import (
    DecisionForm,
    LinkForm,
    NirForm,
    PatientSearchForm,
    RefusalForm,
    RevealForm,
    UndoForm,
)
from auth import guards
from auth.enrolment import actions, queries
from auth.enrolment.actions import AlreadyLinked, AlreadyUndone, NumberHeld, UnknownNumber
from auth.enrolment.models import Link, LinkRequest
from auth.enrolment.queries import IdentityFile
from auth.identity import actions as identity
from auth.identity import nir, wording
from auth.identity import queries as duplicates
from auth.identity.actions import AlreadyDecided, NoAccount, NothingToReveal, StillLinked
from auth.identity.models import PossibleDuplicate
from auth.identity.nir import NotANir
from portal.establishments import Establishment
from portal.web.repeated_posts import once

RIGHT = "identity"
pages = guards.staff(
    Blueprint("admin_identities", __name__, url_prefix="/admin/identites", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]


# -- what waits ----------------------------------------------------------------------------------------------------


@pages.get("")
def queue() -> str:
    """Links that a person must decide, and people who may be one."""
    places = guards.establishments(RIGHT)
    return render_template(
        "admin/identities/queue.html",
        requests=queries.waiting_requests(places),
        duplicates=duplicates.waiting_duplicates(places),
        words=wording,
    )


@pages.route("/rechercher", methods=["GET", "POST"])
def search() -> Answer:
    """Find a patient by number, or by birth date and name."""
    form = PatientSearchForm()
    found = None
    if form.is_submitted() and form.validate():
        if form.asked is None:
            form.birth_on.errors = [_("Give a patient number, or a birth date")]
        else:
            found = queries.search(guards.establishments(RIGHT), **form.asked)
    page = render_template("admin/identities/search.html", form=form, found=found)
    return page, 422 if form.errors else 200


# -- a link that waits ---------------------------------------------------------------------------------------------


@pages.route("/demandes/<uuid:request_id>", methods=["GET", "POST"])
@once
def show_request(request_id: UUID) -> Answer:
    """Who asks, whom the hospital knows that resembles them, and the link to a number."""
    waiting, form = _request(request_id), LinkForm()
    if form.validate_on_submit() and _link(waiting.patient_id, waiting.establishment_id, form):
        return redirect(url_for(".patient", patient_id=waiting.patient_id), 303)
    page = render_template(
        "admin/identities/request.html",
        waiting=waiting,
        candidates=queries.candidates(waiting.establishment_id, waiting.patient),
        form=form,
        words=wording,
    )
    return page, 422 if form.errors else 200


@pages.route("/demandes/<uuid:request_id>/refuser", methods=["GET", "POST"])
@once
def refuse_request(request_id: UUID) -> Answer:
    """Tell who asks that nothing could be linked."""
    waiting, form = _request(request_id), RefusalForm()
    if form.validate_on_submit():
        if waiting.decided_at is None:
            actions.refuse_request(waiting, form.reason.data)
            flash(_("The request is closed. Whoever asked is told by mail."), "success")
        return redirect(url_for(".queue"), 303)
    page = render_template("admin/identities/refuse.html", waiting=waiting, form=form)
    return page, 422 if form.errors else 200


def _link(patient_id: UUID, establishment_id: UUID, form: LinkForm) -> bool:
    try:
        actions.link_as_agent(patient_id, establishment_id, (form.ipp.data or "").strip())
    except UnknownNumber:
        form.ipp.errors = [_("The hospital gave this number to nobody here: check it, or import the patient first")]
    except AlreadyLinked:
        form.ipp.errors = [_("This person already has a number at this hospital")]
    except NumberHeld:
        form.ipp.errors = [_("Another account holds this number: undo that link first, if it is the wrong one")]
    else:
        flash(
            _("The account is linked. What the hospital has for this number is now in the person’s space."), "success"
        )
        return True
    return False


# -- a patient -----------------------------------------------------------------------------------------------------


@pages.get("/patients/<uuid:patient_id>")
def patient(patient_id: UUID) -> str:
    """One patient's identity: numbers, accounts, links and their history."""
    known = _file(patient_id)
    number = nir.number_of(known.patient)
    return render_template(
        "admin/identities/patient.html",
        known=known,
        masked_nir=nir.masked(number) if number else "",
        duplicates=duplicates.duplicates_of(guards.establishments(RIGHT), patient_id),
        words=wording,
    )


@pages.route("/patients/<uuid:patient_id>/<finess>/lier", methods=["GET", "POST"])
@once
def link_patient(patient_id: UUID, finess: str) -> Answer:
    """At the desk: link the account of somebody who is there to a number."""
    known, form = _file(patient_id), LinkForm()
    place = _place(known, finess)
    if form.validate_on_submit() and _link(patient_id, place.id, form):
        return redirect(url_for(".patient", patient_id=patient_id), 303)
    page = render_template("admin/identities/link_patient.html", known=known, place=place, form=form)
    return page, 422 if form.errors else 200


@pages.post("/patients/<uuid:patient_id>/<finess>/code")
def make_code(patient_id: UUID, finess: str) -> Answer:
    """A new code, on a page to print or read aloud; shown once."""
    known = _file(patient_id)
    place = _place(known, finess)
    try:
        code = actions.make_code(place.id, known.patient)
    except LookupError:
        abort(404)
    return render_template("admin/identities/code.html", known=known, place=place, code=code, life=actions.CODE_LIFE)


@pages.route("/patients/<uuid:patient_id>/<finess>/nir", methods=["GET", "POST"])
def write_nir(patient_id: UUID, finess: str) -> Answer:
    """Keep the beneficiary number."""
    known, form = _file(patient_id), NirForm()
    if form.validate_on_submit():
        try:
            identity.write_nir(known.patient, _place(known, finess).id, form.nir.data or "")
            flash(_("The beneficiary number is kept."), "success")
            return redirect(url_for(".patient", patient_id=patient_id), 303)
        except NotANir:
            form.nir.errors = [_("Check the number: the key of two digits does not match, or a sign is missing")]
    page = render_template("admin/identities/nir.html", known=known, form=form)
    return page, 422 if form.errors else 200


@pages.route("/patients/<uuid:patient_id>/<finess>/nir/voir", methods=["GET", "POST"])
def reveal_nir(patient_id: UUID, finess: str) -> Answer:
    """The whole number on this page alone, for a reason that the journal keeps."""
    known, form, number = _file(patient_id), RevealForm(), ""
    place = _place(known, finess)
    if form.validate_on_submit():
        try:
            number = identity.reveal_nir(known.patient, place.id, form.reason.data or "")
        except NothingToReveal:
            abort(404)
    page = render_template("admin/identities/reveal.html", known=known, form=form, number=number)
    return page, 422 if form.errors else 200


# -- a link --------------------------------------------------------------------------------------------------------


@pages.get("/liens/<uuid:link_id>")
def show_link(link_id: UUID) -> str:
    """What came with a link, and what was seen through it once undone."""
    link = _link_at(link_id)
    return _link_page(link, UndoForm(formdata=None))


@pages.post("/liens/<uuid:link_id>/defaire")
@once
def undo_link(link_id: UUID) -> Answer:
    """The link was wrong: everything goes back at once."""
    link, form = _link_at(link_id), UndoForm()
    if not form.validate():
        return _link_page(link, form), 422
    try:
        actions.undo_link(link_id, form.reason.data)
        flash(_("The link is undone. What came with it is no longer shown, in open sessions too."), "success")
    except AlreadyUndone:
        flash(_("A colleague has already undone this link."), "warning")
    return redirect(url_for(".show_link", link_id=link_id), 303)


def _link_page(link: Link, form: UndoForm) -> str:
    seen = queries.seen_through(link) if link.undone_at else []
    return render_template(
        "admin/identities/link.html", link=link, moved=queries.moved_rows(link), seen=seen, form=form, words=wording
    )


# -- two people, or one --------------------------------------------------------------------------------------------


@pages.get("/doublons/<uuid:duplicate_id>")
def show_duplicate(duplicate_id: UUID) -> str:
    """Two descriptions side by side."""
    return _duplicate_page(_duplicate(duplicate_id), DecisionForm(formdata=None))


@pages.post("/doublons/<uuid:duplicate_id>/decider")
@once
def decide_duplicate(duplicate_id: UUID) -> Answer:
    """One person, or two."""
    return _decide(duplicate_id, identity.decide_same if request.form.get("same") else identity.decide_different)


@pages.post("/doublons/<uuid:duplicate_id>/separer")
@once
def part_duplicate(duplicate_id: UUID) -> Answer:
    """They were two people after all."""
    return _decide(duplicate_id, identity.part)


def _decide(duplicate_id: UUID, decision: Callable[[PossibleDuplicate, str], None]) -> Answer:
    pair, form = _duplicate(duplicate_id), DecisionForm()
    if not form.validate():
        return _duplicate_page(pair, form), 422
    try:
        decision(pair, form.proof.data)
        flash(_("Your decision is recorded."), "success")
    except AlreadyDecided:
        flash(_("A colleague has already decided."), "warning")
    except NoAccount:
        flash(_("Neither of them has an account: join them in the hospital’s own system."), "warning")
    except StillLinked:
        flash(_("The newer account is linked to a hospital’s number: undo that link first."), "warning")
    return redirect(url_for(".show_duplicate", duplicate_id=duplicate_id), 303)


def _duplicate_page(pair: PossibleDuplicate, form: DecisionForm) -> str:
    return render_template("admin/identities/duplicate.html", pair=pair, form=form, words=wording)


# -- only what one's own hospitals know ----------------------------------------------------------------------------


def _request(request_id: UUID) -> LinkRequest:
    return queries.waiting_request(guards.establishments(RIGHT), request_id) or abort(404)


def _link_at(link_id: UUID) -> Link:
    return queries.link_at(guards.establishments(RIGHT), link_id) or abort(404)


def _duplicate(duplicate_id: UUID) -> PossibleDuplicate:
    return duplicates.duplicate(guards.establishments(RIGHT), duplicate_id) or abort(404)


def _file(patient_id: UUID) -> IdentityFile:
    return queries.identity_file(guards.establishments(RIGHT), patient_id) or abort(404)


def _place(known: IdentityFile, finess: str) -> Establishment:
    return next((hospital for _record, hospital in known.records if hospital.finess == finess), None) or abort(404)
