"""Where a place asked for a birth stands: ask, accept, decline, give up; and whom to call to give birth in secret."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import establishments
from portal.web.repeated_posts import once
from services.preadmission import additions, pages
from services.preadmission import queries as files
from services.preadmission.additions import Note
from services.preadmission.answers import Maternity
from services.preadmission.maternity import actions, queries, wording
from services.preadmission.maternity.forms import AnswerForm, AskForm, WithdrawForm
from services.preadmission.maternity.models import MaternityRequest, MaternityWish
from services.preadmission.maternity.states import WishTransitionRefused
from services.preadmission.models import Preadmission

Answer = str | Response | tuple[str, int]
BOOKING = "maternity_reason"
"""Setting of a hospital: the reason for appointments under which its midwives receive, by id."""
UNNAMED_PHONE = "maternity_unnamed_phone"
"""Setting of a hospital: whom to call to give birth in secret; its own number otherwise."""

patient_pages = guards.patients(
    Blueprint("maternity", __name__, url_prefix="/pre-admission", template_folder="templates"), "preadmission"
)
public_pages = guards.public(
    Blueprint("maternity_secret", __name__, url_prefix="/accoucher-sous-le-secret", template_folder="templates")
)


@public_pages.get("")
def secret() -> str:
    """Whom to call. Nothing is asked, nothing is kept, nobody is told."""
    listed = {site.establishment_id for site in queries.sites()}
    hospitals = [each for each in establishments.establishments() if not listed or each.id in listed]
    numbers = {each.id: establishments.setting(each.id, UNNAMED_PHONE, each.phone) for each in hospitals}
    return render_template("maternity/secret.html", hospitals=hospitals, numbers=numbers)


@patient_pages.route("/<uuid:preadmission_id>/place", methods=["GET", "POST"])
@once
def place(preadmission_id: UUID) -> Answer:
    """The request and what each site said; or the way to ask."""
    file = _file(preadmission_id)
    request, form = queries.of_file(file.id), AskForm()
    if request is not None:
        return render_template(
            "maternity/place.html", file=file, wanted=request, form=AnswerForm(), words=wording,
            booking=_bookings(request.wishes),
        )  # fmt: skip
    told = files.answers_of(file.id).get("maternity")
    maternity = told if isinstance(told, Maternity) else None
    sites = queries.wished(file, maternity.other_sites if maternity else (), queries.sites())
    if form.validate_on_submit():
        try:
            actions.ask(file, maternity, sites)
        except (actions.NothingToAsk, actions.AlreadyAsked):
            return redirect(url_for(".place", preadmission_id=file.id), 303)
        flash(_("Your request has been sent."), "success")
        return redirect(url_for(".place", preadmission_id=file.id), 303)
    page = render_template(
        "maternity/ask.html", file=file, told=maternity, sites=sites, form=form, words=wording,
        first_page=pages.address(file, "maternity"),
    )  # fmt: skip
    return page, 422 if form.errors else 200


@patient_pages.post("/<uuid:preadmission_id>/place/<uuid:wish_id>/accepter")
def accept(preadmission_id: UUID, wish_id: UUID) -> Answer:
    file, wish = _wish(preadmission_id, wish_id)
    try:
        actions.accept(wish)
    except (WishTransitionRefused, actions.OfferOver):
        flash(_("This place is not kept for you any more. The page says where your request stands."), "warning")
    else:
        flash(_("Your place is confirmed."), "success")
    return redirect(url_for(".place", preadmission_id=file.id), 303)


@patient_pages.post("/<uuid:preadmission_id>/place/<uuid:wish_id>/laisser")
def decline(preadmission_id: UUID, wish_id: UUID) -> Answer:
    file, wish = _wish(preadmission_id, wish_id)
    try:
        actions.decline(wish)
    except WishTransitionRefused:
        flash(_("This place is not kept for you any more. The page says where your request stands."), "warning")
    else:
        flash(_("You have left this place to somebody else."), "success")
    return redirect(url_for(".place", preadmission_id=file.id), 303)


@patient_pages.route("/<uuid:preadmission_id>/place/abandonner", methods=["GET", "POST"])
def withdraw(preadmission_id: UUID) -> Answer:
    """No place is needed any more."""
    file = _file(preadmission_id)
    request: MaternityRequest = queries.of_file(file.id) or abort(404)
    form = WithdrawForm()
    if form.validate_on_submit():
        try:
            actions.withdraw(request, born=form.why.data == "born")
        except WishTransitionRefused:
            flash(_("This request was over already."), "info")
        else:
            flash(_("The maternity units have been told that you need no place."), "success")
        return redirect(url_for(".place", preadmission_id=file.id), 303)
    page = render_template("maternity/withdraw.html", file=file, form=form)
    return page, 422 if form.errors else 200


def on_file(file: Preadmission) -> Sequence[Note]:
    """What the page of a file says of the place."""
    if file.stay_kind != "maternity":
        return []
    href = url_for("maternity.place", preadmission_id=file.id)
    request = queries.of_file(file.id)
    if request is None:
        if file.state in ("refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed", "closed"):
            return []
        return [Note("info", _("Ask for your place at the maternity unit"),
                     _("Places are few: ask for yours as soon as you know when the birth is expected."), href,
                     _("Ask for a place"))]  # fmt: skip
    best = min(request.wishes, key=lambda wish: _ORDER.index(wish.state))
    kind = {"offered": "warning", "confirmed": "success"}.get(best.state, "info")
    return [Note(kind, wording.STATES[best.state][0], wording.EXPLAINED[best.state], href, _("See my request"))]


_ORDER = ("confirmed", "offered", "waiting_list", "studied", "received", "refused", "born_elsewhere", "cancelled")
additions.offer_notes(on_file)


def _file(preadmission_id: UUID) -> Preadmission:
    file = files.one_of_patient(guards.patient_id(), preadmission_id)
    if file is None or file.stay_kind != "maternity":
        abort(404)
    return file


def _wish(preadmission_id: UUID, wish_id: UUID) -> tuple[Preadmission, MaternityWish]:
    file = _file(preadmission_id)
    request: MaternityRequest = queries.of_file(file.id) or abort(404)
    found = next((wish for wish in request.wishes if wish.id == wish_id), None)
    return file, found or abort(404)


def _bookings(wishes: Sequence[MaternityWish]) -> dict[UUID, str]:
    """Wish → where its midwife's appointment is booked, for a place that is kept or confirmed."""
    kept = [wish for wish in wishes if wish.state in ("offered", "confirmed")]
    reasons = {wish.id: establishments.setting(wish.establishment_id, BOOKING) for wish in kept}
    return {key: url_for("appointments.choose_slot", reason=reason) for key, reason in reasons.items() if reason}
