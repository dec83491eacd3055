"""Those who sign: the link (looking at it does nothing), then what they are asked to read, in their own account."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import assurance, guards, sessions, tries
from portal import db
from portal.establishments import establishments
from portal.web import branding
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.preadmission.actions import ChangedMeanwhile
from services.preadmission.companions import actions, queries, sheets, texts, wording
from services.preadmission.companions.actions import ForOneself, LinkDead, SameSigner, TooYoung, signing
from services.preadmission.companions.forms import DeclineForm, GestureForm, SignForm
from services.preadmission.companions.models import Companion
from services.preadmission.companions.routes_patient import evidence, pdf
from services.preadmission.companions.states import TransitionRefused

link_pages = guards.public(Blueprint("signature_links", __name__, url_prefix="/signature", template_folder="templates"))
companion_pages = guards.patients(
    Blueprint("own_signatures", __name__, url_prefix="/signatures", template_folder="templates"), "account"
)
Answer = str | Response | tuple[str, int]
_PER_RANGE = 60
"""Links tried by one address range in ten minutes."""


@link_pages.route("/<string:token>", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def follow(token: str) -> Answer:
    """A GET shows the hospital's name and acts on nothing: mail scanners open links. The post spends the link."""
    form = GestureForm()
    with db.transaction(db.system("companions.look")):
        companion = queries.behind(token)
        place = companion.establishment if companion is not None else None
    if place is None:
        return _dead()
    if not form.validate_on_submit():
        return render_template("companions/link.html", form=form, place=place, current=sessions.signed_in())
    try:
        tries.spend(tries.of_range(request.remote_addr or "", "companion", limit=_PER_RANGE))
    except tries.TooManyTries:
        form.form_errors.append(_("Too many tries from here: wait ten minutes."))
        return render_template("companions/link.html", form=form, place=place, current=sessions.signed_in()), 429
    return _come_in(token)


def _come_in(token: str) -> Answer:
    current = sessions.signed_in()
    if current is None or db.current_actor().kind != "patient":
        return redirect(url_for(guards.DOORS["patient"], next=url_for(".follow", token=token)), 303)
    if not assurance.suffices(current, "account"):
        return guards.to_the_proof("account")
    try:
        companion = actions.claim(token, current.own_id)
    except LinkDead:
        return _dead()
    except ForOneself:
        return _refused(_("You are signed in as the patient: this link is for the person you have named."))
    except SameSigner:
        return _refused(_("You have signed already: this link is for the other holder, who signs in as themselves."))
    except TooYoung:
        return _refused(_("A person of trust must be an adult."))
    return redirect(url_for("own_signatures.show", companion_id=companion.id), 303)


def _refused(words: str) -> tuple[str, int]:
    return render_template("companions/not_you.html", words=words), 409


def _dead() -> tuple[str, int]:
    """One page for every link that does not work: nobody learns why."""
    return render_template("companions/dead.html", hospitals=establishments()), 404


# -- in their own account ------------------------------------------------------------------------------------------


@companion_pages.get("")
def home() -> str:
    """What I was asked to sign."""
    return render_template("companions/mine.html", companions=queries.mine(), words=wording)


@companion_pages.get("/<uuid:companion_id>")
def show(companion_id: UUID) -> str:
    """The text to read, or what became of it."""
    companion = _one(companion_id)
    return _page(companion, SignForm())


@companion_pages.post("/<uuid:companion_id>/signer")
@once
def sign(companion_id: UUID) -> Answer:
    """Sign what was read."""
    companion, form = _one(companion_id), SignForm()
    if not form.validate_on_submit():
        return _page(companion, form), 422
    try:
        actions.sign(companion, evidence(form.read.data))
    except ChangedMeanwhile:
        form.form_errors.append(_("The text has changed since you opened this page: read it again."))
        return _page(companion, form), 409
    except TransitionRefused:
        flash(_("Nothing waits for your signature here any more."), "info")
    else:
        flash(_("You have signed. Thank you."), "success")
    return redirect(url_for(".show", companion_id=companion_id), 303)


@companion_pages.post("/<uuid:companion_id>/refuser")
def decline(companion_id: UUID) -> Response:
    """Say no."""
    companion = _one(companion_id)
    if DeclineForm().validate_on_submit():
        try:
            actions.decline(companion, evidence())
        except TransitionRefused:
            flash(_("Nothing waits for your signature here any more."), "info")
        else:
            flash(_("You have refused. The person who named you is told."), "success")
    return redirect(url_for(".show", companion_id=companion_id), 303)


@companion_pages.route("/<uuid:companion_id>/retirer", methods=["GET", "POST"])
def revoke(companion_id: UUID) -> Answer:
    """Ask once, then take one's signature back."""
    companion, form = _one(companion_id), GestureForm()
    if not form.validate_on_submit():
        return render_template("companions/take_back.html", form=form, companion=companion)
    try:
        actions.revoke(companion, evidence())
    except TransitionRefused:
        flash(_("It can no longer be changed here: call the hospital."), "warning")
    else:
        flash(_("Your signature is taken back, and the person concerned is told."), "success")
    return redirect(url_for(".show", companion_id=companion_id), 303)


@companion_pages.get("/<uuid:companion_id>/signature.pdf")
def sheet(companion_id: UUID) -> Response:
    """What I decided, to keep."""
    companion = _one(companion_id)
    made = [each for each in queries.signatures([companion.id])[companion.id] if not each.by_patient]
    if not made:
        abort(404)
    return pdf(sheets.signed(made[::-1], made[0].at), _("signature"))


def _page(companion: Companion, form: SignForm) -> str:
    """Nothing of the text for whoever came in under another name, until an agent has said that it is them."""
    made = queries.signatures([companion.id])[companion.id]
    is_theirs = companion.state not in ("to_check", "named", "invited", "on_paper")
    words_read = signing.text_for(companion) if is_theirs else ""
    form.read.data = texts.digest(words_read).hex()
    return render_template(
        "companions/read.html",
        companion=companion,
        form=form,
        decline_form=DeclineForm(),
        lines=words_read.split("\n") if words_read else [],
        signatures=[each for each in made if not each.by_patient] if is_theirs else [],
        words=wording,
    )


def _one(companion_id: UUID) -> Companion:
    return branding.of(queries.one_of_mine(companion_id) or abort(404))
