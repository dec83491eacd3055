"""The patient's side: who signs, sign oneself, send a link, print a sheet, take back."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.mandates import queries as mandates
from portal import db
from portal.web import branding
from portal.web.repeated_posts import once
from services.preadmission import queries as preadmission_queries
from services.preadmission.actions import ChangedMeanwhile
from services.preadmission.companions import actions, queries, reading, sheets, texts, wording
from services.preadmission.companions.actions import (
    Evidence,
    NoAddress,
    NotAHolder,
    NotInPerson,
    TooManyLinks,
    composing,
    signing,
)
from services.preadmission.companions.forms import GestureForm, SignForm
from services.preadmission.companions.models import Companion
from services.preadmission.companions.states import TransitionRefused
from services.preadmission.models import Preadmission

patient_pages = guards.patients(
    Blueprint("signatures", __name__, url_prefix="/pre-admission", template_folder="templates"), "preadmission"
)
Answer = str | Response | tuple[str, int]


@patient_pages.get("/<uuid:preadmission_id>/signatures")
def overview(preadmission_id: UUID) -> str:
    """Who signs, where each one stands, and what may be done about it."""
    file = _file(preadmission_id)
    everybody = queries.of_file(file.id)
    answers = preadmission_queries.answers_of(file.id)
    return render_template(
        "companions/overview.html",
        file=file,
        theatre=reading.theatre(file, answers),
        trusted=None if reading.is_minors(file) else reading.trusted(file),
        is_minors=reading.is_minors(file),
        history=queries.changes([each.id for each in everybody]),
        names={each.id: each.full_name for each in everybody},
        own_place=_own_place(file, everybody),
        own_account=db.current_actor().account_id,
        in_person=_in_person(file),
        words=wording,
    )


def _own_place(file: Preadmission, everybody: object) -> UUID | None:
    """The place in which whoever acts may sign as a holder, when they still have to."""
    account_id = db.current_actor().account_id
    if account_id not in {each.account_id for each in mandates.holders(file.patient_id)}:
        return None
    place = signing.place_of(account_id, everybody)  # type: ignore[arg-type]  # companions, as `queries.of_file` gives
    return place.id if place is not None and place.state != "signed" else None


# -- the holder who acts -------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/signatures/autorisation", methods=["GET", "POST"])
@once
def authorise(preadmission_id: UUID) -> Answer:
    """The holder who acts for the child reads and signs the authorisation to operate."""
    file = _file(preadmission_id)
    everybody = queries.of_file(file.id)
    place_id = _own_place(file, everybody)
    place = next((each for each in everybody if each.id == place_id), None)
    if place is None:
        flash(_("There is nothing for you to sign here."), "info")
        return redirect(url_for(".overview", preadmission_id=file.id), 303)
    return _reading(
        file, place, texts.OPERATION, lambda evidence: actions.sign_as_holder(file, evidence), _("You have signed.")
    )


def _reading(
    file: Preadmission, place: Companion, act: texts.Act, sign: Callable[[Evidence], None], done: str
) -> Answer:
    form, status = SignForm(), 200
    words = composing.compose(place, act)
    if form.validate_on_submit():
        try:
            sign(evidence(form.read.data))
        except ChangedMeanwhile:
            form.form_errors.append(_("The text has changed since you opened this page: read it again."))
            status, words = 409, composing.compose(place, act)
        except (TransitionRefused, NotAHolder, NotInPerson):
            flash(_("There is nothing for you to sign here."), "info")
            return redirect(url_for(".overview", preadmission_id=file.id), 303)
        else:
            flash(done, "success")
            return redirect(url_for(".overview", preadmission_id=file.id), 303)
    form.read.data = texts.digest(words).hex()
    page = render_template("companions/sign.html", form=form, file=file, lines=words.split("\n"), companion=place)
    return page, status if status != 200 else 422 if form.errors else 200


# -- the person of trust -------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/signatures/personne-de-confiance", methods=["GET", "POST"])
@once
def designate(preadmission_id: UUID) -> Answer:
    """The patient signs the naming, in person; the link leaves in the same gesture when there is an address."""
    file = _file(preadmission_id)
    found = reading.trusted(file)
    if found is None or found.is_named or not _in_person(file):
        return redirect(url_for(".overview", preadmission_id=file.id), 303)

    def sign(proof: Evidence) -> None:
        actions.designate(found.companion, proof)
        if found.companion.email and found.companion.state == "named":
            actions.invite(found.companion)

    done = _("You have signed. They get a link as soon as you send it.")
    if found.companion.email and found.companion.state == "named":
        done = _("You have signed, and the link is on its way.")
    return _reading(file, found.companion, texts.DESIGNATION, sign, done)


@patient_pages.route("/<uuid:preadmission_id>/signatures/<uuid:companion_id>/retirer", methods=["GET", "POST"])
def revoke(preadmission_id: UUID, companion_id: UUID) -> Answer:
    """Ask once; then they are no longer the person of trust, or one’s own authorisation is taken back."""
    file, companion = _one(preadmission_id, companion_id)
    form = GestureForm()
    if not form.validate_on_submit():
        return render_template("companions/revoke.html", form=form, file=file, companion=companion)
    try:
        if companion.role == "trust":
            actions.revoke_for_patient(companion, evidence())
        elif companion.account_id == db.current_actor().account_id:
            actions.revoke(companion, evidence())
        else:
            abort(404)
    except NotInPerson:
        flash(_("Only the patient may do this, signed in as themselves."), "warning")
    except TransitionRefused:
        flash(_("It can no longer be changed here: call the admissions office."), "warning")
    else:
        flash(_("It is done, and written down with its date."), "success")
    return redirect(url_for(".overview", preadmission_id=file.id), 303)


# -- links and sheets ----------------------------------------------------------------------------------------------


@patient_pages.post("/<uuid:preadmission_id>/signatures/<uuid:companion_id>/lien")
def invite(preadmission_id: UUID, companion_id: UUID) -> Response:
    """Send the link, or another one."""
    file, companion = _one(preadmission_id, companion_id)
    try:
        actions.invite(companion)
    except NoAddress:
        flash(_("There is no e-mail address for this person: choose the paper sheet."), "warning")
    except TooManyLinks:
        flash(_("A link has just been sent. Wait a little before you send another one."), "warning")
    except TransitionRefused:
        flash(_("This person has already answered."), "info")
    else:
        flash(_("The link is on its way. It works once, for seven days."), "success")
    return redirect(url_for(".overview", preadmission_id=file.id), 303)


@patient_pages.post("/<uuid:preadmission_id>/signatures/<uuid:companion_id>/papier")
def paper(preadmission_id: UUID, companion_id: UUID) -> Response:
    """This person signs on paper, or at the hospital."""
    file, companion = _one(preadmission_id, companion_id)
    try:
        actions.leave_to_paper(companion)
    except TransitionRefused:
        flash(_("This person has already answered."), "info")
    else:
        flash(_("Print the sheet, have it signed, and send it with your documents or bring it."), "success")
    return redirect(url_for(".overview", preadmission_id=file.id), 303)


@patient_pages.get("/<uuid:preadmission_id>/signatures/<uuid:companion_id>/feuille.pdf")
def sheet(preadmission_id: UUID, companion_id: UUID) -> Response:
    """The sheet to print and sign by hand; with the signatures themselves once there are some."""
    file, companion = _one(preadmission_id, companion_id)
    made = queries.signatures([companion.id])[companion.id]
    if request.args.get("signee") and made:
        return pdf(sheets.signed(made[::-1], made[0].at), _("signature"))
    if companion.role == "trust":
        return pdf(sheets.to_sign(companion, (), (texts.DESIGNATION, texts.ACCEPTANCE)), _("person-of-trust"))
    holders = [each for each in queries.of_file(file.id) if each.role == "holder" and not each.is_over]
    return pdf(sheets.to_sign(companion, holders, (texts.OPERATION,)), _("authorisation-to-operate"))


def pdf(content: bytes, name: str) -> Response:
    """Shown by the browser, under a name that tells nothing of the person."""
    response = make_response(content)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


# -- shared --------------------------------------------------------------------------------------------------------


def _file(preadmission_id: UUID) -> Preadmission:
    return branding.of(preadmission_queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404))


def _one(preadmission_id: UUID, companion_id: UUID) -> tuple[Preadmission, Companion]:
    file = _file(preadmission_id)
    return file, queries.one_of_file(file.id, companion_id) or abort(404)


def _in_person(file: Preadmission) -> bool:
    return file.patient_id not in db.current_actor().proxied


def evidence(read: str | None = "") -> Evidence:
    """How the signed-in person proved who they are."""
    current = sessions.signed_in() or abort(403)
    return Evidence(current.provider, current.acr, read or "")
