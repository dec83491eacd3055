"""The professionals' pages: the patients who let me see something, a code to type, a request to send.

In person only: a patient agrees to somebody, not to whoever acts in their stead.
"""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from auth import guards, held_forms, tries
from portal import db
from portal.web import errors
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.circle import actions, queries, sections, wording
from services.circle.actions import CodeRefused, Somebody
from services.circle.forms import ProposalForm, TypedCodeForm, last_day
from services.circle.models import CircleMember
from services.circle.sections import Looking

pages = guards.professionals(
    Blueprint("circle_patients", __name__, url_prefix="/pro/patients", template_folder="templates")
)
Answer = str | Response | tuple[str, int]


@pages.before_request
def in_person() -> Response | None:
    if db.current_actor().on_behalf_of is None:
        return None
    return errors.page(
        403,
        _l("These pages open to the practitioner alone"),
        _l("Patients agree to somebody in person. Act in your own name again to see your own patients."),
    )


@pages.get("")
def patients() -> str:
    """Those who let me see something, and what I asked."""
    me = queries.myself()
    return render_template(
        "circle/patients.html",
        me=me,
        members=queries.patients_of(me.identity) if me else [],
        proposals=queries.proposals_of(_account_id()),
        last_day=last_day,
        words=wording,
    )


@pages.get("/<uuid:member_id>")
def patient(member_id: UUID) -> str:
    """What this patient lets me see; each opening is written down, and they read it."""
    member = seen(member_id)
    looking = Looking(member.id, member.patient_id)
    actions.open_file(member)
    shown = sections.of(member.sees, looking)
    return render_template("circle/patient.html", member=member, sections=shown, last_day=last_day, words=wording)


@pages.route("/code", methods=["GET", "POST"])
@limiter.limit("60 per hour", methods=["POST"])
@once
def join() -> Answer:
    """Type the code that a patient shows."""
    held = held_forms.take()
    form = TypedCodeForm(formdata=held) if held else TypedCodeForm()
    if form.validate_on_submit() and (member_id := _joined(form)):
        flash(_("You are in the circle of care of this patient."), "success")
        return redirect(url_for(".patient", member_id=member_id), 303)
    page = render_template("circle/join.html", form=form)
    return (page, 422) if form.errors else page


def _joined(form: TypedCodeForm) -> UUID | None:
    counter = tries.of_account(_account_id(), "circle code", limit=10)
    try:
        tries.spend(counter)
        return actions.join(form.code.data or "", _me())
    except tries.TooManyTries:
        form.code.errors = [_("Too many wrong codes: wait ten minutes, then try again.")]
    except CodeRefused:
        form.code.errors = [_("This code does not work: ask the patient for a new one, and check each sign.")]
    return None


@pages.route("/proposer", methods=["GET", "POST"])
@limiter.limit("30 per hour", methods=["POST"])
@once
def propose() -> Answer:
    """Ask to be in the circle of somebody I describe. The answer is the same whoever exists."""
    held = held_forms.take()
    form = ProposalForm(formdata=held) if held else ProposalForm()
    if form.validate_on_submit():
        actions.propose(_me(), form.role.data, form.why.data or "", form.told)
        flash(_("Sent. You will see them in your list if they accept."), "success")
        return redirect(url_for(".patients"), 303)
    page = render_template("circle/propose.html", form=form)
    return (page, 422) if form.errors else page


@pages.post("/propositions/<uuid:proposal_id>/retirer")
def withdraw(proposal_id: UUID) -> Response:
    """No longer ask."""
    proposal = queries.proposal_of(_account_id(), proposal_id) or abort(404)
    actions.withdraw(proposal)
    flash(_("Your request is withdrawn."), "success")
    return redirect(url_for(".patients"), 303)


def seen(member_id: UUID) -> CircleMember:
    return queries.seen_by(_me().identity, member_id) or abort(404)


def _me() -> Somebody:
    """Whoever has no national identifier has no place in a circle."""
    return queries.myself() or abort(403)


def _account_id() -> UUID:
    return db.current_actor().account_id or abort(403)
