"""What became of a practitioner's requests: the list, one request with its units, threads and clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import db
from portal.files import FileNotReadable, StoredFile
from portal.web import branding
from portal.web.downloads import file_response, made_response
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.pieces import letters
from services.questionnaires.answers import load
from services.questionnaires.wording import Line, lines
from services.referrals import queries, standing, wording
from services.referrals.actions import leaving, sending, thread
from services.referrals.actions.sending import NobodyAsked, OfferClosed
from services.referrals.actions.thread import EmptyMessage
from services.referrals.drafts import queries as drafts
from services.referrals.forms import ChoiceForm, MessageForm, WithdrawForm
from services.referrals.models import Referral, ReferralFile, ReferralTarget
from services.referrals.states import LIVE, NotPossibleNow

pages = guards.professionals(
    Blueprint("referrals", __name__, url_prefix="/pro/orientations", template_folder="templates")
)
Answer = str | Response | tuple[str, int]
_MORE_READABLE = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True)
class Row:
    """A request in the list."""

    referral: Referral
    standing: str

    @property
    def is_news(self) -> bool:
        return any(standing.is_news(each) for each in self.referral.targets)


@pages.get("")
def mine() -> str:
    """What waits for the practitioner first, then what waits for units, what was accepted, what is over."""
    own = guards.professional_id()
    rows = [Row(each, standing.standing(each.targets)) for each in queries.sent_by(own)]
    counts = {name: sum(each.standing == name for each in rows) for name in standing.STANDINGS}
    wanted, kind = request.args.get("etat", ""), request.args.get("nature", "")
    shown = [each for each in rows if wanted in ("", each.standing) and kind in ("", each.referral.kind)]
    groups = {name: [each for each in shown if each.standing == name] for name in standing.STANDINGS}
    return render_template(
        "referrals/pro/mine.html",
        groups={name: listed for name, listed in groups.items() if listed},
        counts=counts,
        total=len(rows),
        wanted=wanted,
        kind=kind,
        kinds=list(dict.fromkeys(each.referral.kind for each in rows)),
        drafts=drafts.drafts_of(own),
        words=wording,
        now=db.now(),
    )


# -- one request ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:referral_id>")
def show(referral_id: UUID) -> Answer:
    """One request, unit by unit, in the order in which they are asked."""
    referral = _one(referral_id)
    for target in referral.targets:
        if target.received_at is not None:
            thread.read_by_professional(target)
    form = MessageForm(formdata=held) if (held := held_forms.take()) else MessageForm()
    return _shown(referral, form)


def _shown(referral: Referral, form: MessageForm, status: int = 200) -> Answer:
    targets = referral.targets
    page = render_template(
        "referrals/pro/show.html",
        referral=referral,
        standing=standing.standing(targets),
        current=referral.current,
        proposal=standing.proposal(targets),
        nobody_left=standing.nobody_left(targets),
        may_withdraw=any(each.state in LIVE for each in targets),
        answers=_answers(targets),
        form=form,
        choice=ChoiceForm(formdata=None),
        words=wording,
        now=db.now(),
    )
    return (page, status) if status != 200 else page


def _answers(targets: Sequence[ReferralTarget]) -> list[Line]:
    """What was answered to the first unit's own questions."""
    asked = next((each for each in targets if each.answers and each.questionnaire_id), None)
    found = drafts.questionnaire(asked.questionnaire_id) if asked and asked.questionnaire_id else None
    return lines(found.definition, load(asked.answers)) if asked and found else []


@pages.get("/<uuid:referral_id>/imprimer")
def printable(referral_id: UUID) -> str:
    """For the practitioner's own file: everything on one sheet."""
    referral = _one(referral_id)
    return render_template(
        "referrals/pro/printable.html",
        referral=referral,
        answers=_answers(referral.targets),
        words=wording,
        now=db.now(),
    )


# -- the thread ----------------------------------------------------------------------------------------------------


@pages.post("/<uuid:referral_id>/services/<uuid:target_id>")
@limiter.limit("120 per hour")
def write(referral_id: UUID, target_id: UUID) -> Answer:
    """Write to a unit, with documents; what it asked for is answered by it. Uploads are scanned before anything is
    written."""
    _target(referral_id, target_id)
    form = MessageForm()
    valid = form.validate()
    received = form.take_uploads()
    if valid and not form.errors:
        answer: Answer = _write(referral_id=referral_id, target_id=target_id, form=form, received=received)
        return answer
    return _shown(_one(referral_id), form, 422)


@once
def _write(referral_id: UUID, target_id: UUID, form: MessageForm, received: list[StoredFile]) -> Answer:
    target = _target(referral_id, target_id)
    try:
        thread.write(target, form.text.data or "", file_ids=[each.id for each in received])
    except EmptyMessage:
        form.explain_empty()
        return _shown(_one(referral_id), form, 422)
    except NotPossibleNow:
        form.text.errors = [*form.text.errors, _("This request is over: nothing more can be written to this unit.")]
        return _shown(_one(referral_id), form, 409)
    flash(_("Your message is sent."), "success")
    return _back(referral_id)


# -- the practitioner decides --------------------------------------------------------------------------------------


@pages.post("/<uuid:referral_id>/services/<uuid:target_id>/suivre")
@once
def follow(referral_id: UUID, target_id: UUID) -> Answer:
    """Ask the unit that this one named."""
    target = _target(referral_id, target_id)
    try:
        sending.follow_proposal(target)
    except (OfferClosed, NobodyAsked, NotPossibleNow):
        flash(_("This unit cannot be asked now: it takes no such request, or was asked already. Call it."), "warning")
        return _shown(_one(referral_id), MessageForm(formdata=None), 409)
    flash(_("The unit that was named has your request."), "success")
    return _back(referral_id)


@pages.post("/<uuid:referral_id>/services/<uuid:target_id>/laisser")
@once
def leave(referral_id: UUID, target_id: UUID) -> Answer:
    """Not the unit that this one named: the next of the list, or nobody."""
    target = _target(referral_id, target_id)
    try:
        following = sending.leave_proposal(target)
    except NotPossibleNow:
        return _shown(_one(referral_id), MessageForm(formdata=None), 409)
    flash(_("The next unit of your list is asked.") if following else _("This request is over."), "success")
    return _back(referral_id)


@pages.route("/<uuid:referral_id>/reprendre", methods=["GET", "POST"])
def withdraw(referral_id: UUID) -> Answer:
    """Take the request back, wherever something is still open."""
    referral = _one(referral_id)
    form = WithdrawForm()
    if form.validate_on_submit():
        answer: Answer = _withdraw(referral_id=referral_id, form=form)
        return answer
    if not any(each.state in LIVE for each in referral.targets):
        flash(_("This request is over: there is nothing left to take back."), "info")
        return _back(referral_id)
    page = render_template("referrals/pro/withdraw.html", referral=referral, form=form, words=wording)
    return (page, 422) if form.errors else page


@once
def _withdraw(referral_id: UUID, form: WithdrawForm) -> Answer:
    try:
        leaving.withdraw(_one(referral_id), form.why.data)
    except NotPossibleNow:
        flash(_("This request is over: there is nothing left to take back."), "info")
        return _shown(_one(referral_id), MessageForm(formdata=None), 409)
    flash(_("Your request is taken back, and the unit is told."), "success")
    return _back(referral_id)


# -- files ---------------------------------------------------------------------------------------------------------


@pages.get("/<uuid:referral_id>/services/<uuid:target_id>/fichiers/<uuid:file_id>")
def file(referral_id: UUID, target_id: UUID, file_id: UUID) -> Response:
    """A file of the request, or of a message, as it was sent."""
    target, joined = _file(referral_id, target_id, file_id)
    try:
        response = file_response(joined.file)
    except FileNotReadable:
        abort(404)
    thread.hand_over_file(target, joined)
    return response


@pages.get("/<uuid:referral_id>/services/<uuid:target_id>/fichiers/<uuid:file_id>/lire")
def read(referral_id: UUID, target_id: UUID, file_id: UUID) -> Answer:
    """A letter that carries its own words, as a page."""
    target, joined = _file(referral_id, target_id, file_id)
    letter = _letter(joined) or abort(404)
    thread.hand_over_file(target, joined)
    parts = [(each.title, min(each.level + 1, 6), Markup(each.html)) for each in letter.parts]  # noqa: S704 - made safe
    return render_template(
        "referrals/pro/letter.html", referral=target.referral, target=target, joined=joined, letter=letter, parts=parts
    )


@pages.get("/<uuid:referral_id>/services/<uuid:target_id>/fichiers/<uuid:file_id>/piece")
def inside(referral_id: UUID, target_id: UUID, file_id: UUID) -> Response:
    """The PDF or the picture that a letter carries."""
    target, joined = _file(referral_id, target_id, file_id)
    letter = _letter(joined)
    if letter is None or letter.media_type not in _MORE_READABLE:
        abort(404)
    thread.hand_over_file(target, joined)
    name = f"{joined.file.name.rsplit('.', 1)[0]}.{_MORE_READABLE[letter.media_type]}"
    return made_response(letter.inside, name, letter.media_type)


def _letter(joined: ReferralFile) -> letters.Letter | None:
    try:
        return letters.read(joined.file)
    except FileNotReadable:
        return None


# -- the practitioner's own, or nothing ----------------------------------------------------------------------------


def _one(referral_id: UUID) -> Referral:
    found = queries.one_sent_by(guards.professional_id(), referral_id)
    return found if found and found.birth_name else abort(404)  # without a name: its words were forgotten


def _target(referral_id: UUID, target_id: UUID) -> ReferralTarget:
    found = queries.target_sent_by(guards.professional_id(), target_id)
    if found is None or found.referral_id != referral_id or found.received_at is None:
        abort(404)
    return branding.of(found)


def _file(referral_id: UUID, target_id: UUID, file_id: UUID) -> tuple[ReferralTarget, ReferralFile]:
    target = _target(referral_id, target_id)
    return target, queries.file_of(target, file_id) or abort(404)


def _back(referral_id: UUID) -> Response:
    return redirect(url_for(".show", referral_id=referral_id), 303)
