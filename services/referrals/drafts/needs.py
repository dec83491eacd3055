"""Step 4, what the first unit asks: how soon, its own questions, documents."""

from dataclasses import replace
from datetime import tzinfo
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from auth import held_forms
from portal import db, files
from portal.file_sniffing import FileRefused, Kind
from portal.files import DOCUMENTS, FileNotReadable, StoredFile
from portal.web import uploads
from portal.web.fields import choices
from portal.web.limits import limiter
from portal.web.ui import short_day
from services.pieces import letters
from services.pieces.wording import words_for
from services.questionnaires import answers as rules
from services.questionnaires import forms as questions
from services.questionnaires.answers import Page
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import Answers
from services.questionnaires.forms import PageForm
from services.questionnaires.wording import locale
from services.referrals.drafts import actions, choosing, forms, queries
from services.referrals.drafts.content import Content, KeptFile, TooMany
from services.referrals.drafts.models import ReferralDraft
from services.referrals.drafts.routes import Answer, drawn, mine, pages
from services.referrals.models import ReferralOffer

_TAKEN = DOCUMENTS | {Kind.CDA}


class _Step:
    """The first unit of a draft and what it asks."""

    def __init__(self, draft: ReferralDraft) -> None:
        self.told: Content = draft.content
        self.offer: ReferralOffer | None = next(iter(queries.offers(self.told.offers[:1])), None)
        self.asked = queries.questionnaire_of(self.offer) if self.offer else None
        is_same = self.asked is not None and self.told.questionnaire_id == self.asked.id
        self.given: Answers = rules.load(self.told.answers) if is_same else {}
        self.page: Page | None = forms.whole_page(self.asked) if self.asked else None
        self.shown = enabled(self.asked.definition, self.given) if self.asked else frozenset()


@pages.route("/brouillons/<uuid:draft_id>/precisions", methods=["GET", "POST"])
@limiter.limit("240 per hour", methods=["POST"])
def needs(draft_id: UUID) -> Answer:
    """How soon, the unit's own questions, documents. Files are received, and scanned, before anything is written."""
    draft = mine(draft_id)
    step = _Step(draft)
    if step.offer is None:
        return redirect(url_for(".units", draft_id=draft.id), 303)
    made = forms.needs_form(step.offer, step.page, step.shown)
    form = made(formdata=held) if (held := held_forms.take()) else made()
    if form.is_submitted():
        valid = form.validate()
        _keep_files(draft_id, form, _receive(form, step.offer))
        return _keep(mine(draft_id, to_change=True), step, form, valid=valid)
    if held is None:
        _show(form, step)
    return _page(draft, step, form)


def _show(form: PageForm, step: _Step) -> None:
    form["urgency"].process_data(step.told.urgency or None)
    if step.page:
        for name, value in questions.data_of(step.page, step.given).items():
            if name in form:
                form[name].process_data(value)


def _page(draft: ReferralDraft, step: _Step, form: PageForm, status: int = 200) -> Answer:
    told, offer = draft.content, step.offer
    assert offer is not None
    form["files"].choices = choices((str(each.id), each.name) for each in told.files)
    form["files"].data = [str(each.id) for each in told.files]
    form["shown_files"].data = ",".join(form["files"].data)
    chosen = next((each for each in offer.levels if each.code == form["urgency"].data), None)
    page = drawn(
        "needs",
        draft=draft,
        told=told,
        form=form,
        offer=offer,
        chosen=chosen,
        number=choosing.numbers([offer])[offer.id],
        page=step.page,
        names=questions.names(step.page) if step.page else {},
        asked=step.shown,
        locale=locale(),
        longest=rules.longest,
    )
    return page if status == 200 and not form.errors else (page, 422)


def _keep(draft: ReferralDraft, step: _Step, form: PageForm, *, valid: bool) -> Answer:
    """What was typed is kept; then the next step, or this one again when something is wrong."""
    given = forms.answered(form, step.page, step.given) if step.page and valid else step.given
    level = (
        next((each for each in step.offer.levels if each.code == form["urgency"].data), None) if step.offer else None
    )
    told = draft.content
    if valid:
        questionnaire_id = step.asked.id if step.asked else None
        told = replace(told, questionnaire_id=questionnaire_id, answers=rules.dump(given) if given else "")
    actions.keep(draft, replace(told, urgency=level.code if level and not level.by_phone else ""))
    if level and level.by_phone:
        form["urgency"].errors = [*form["urgency"].errors, _("So urgent a request is not written: call.")]
    elif valid and step.asked and step.page:
        if enabled(step.asked.definition, given) - step.shown:
            flash(_("Your answers lead to something more on this page."), "info")
            return redirect(url_for(".needs", draft_id=draft.id), 303)
        forms.unanswered(form, step.page, given)
    if form.errors:
        return _page(draft, step, form, 422)
    if "add" in request.form:
        return redirect(url_for(".needs", draft_id=draft.id, _anchor="documents"), 303)
    return redirect(url_for(".check", draft_id=draft.id), 303)


# -- documents -----------------------------------------------------------------------------------------------------


def _receive(form: PageForm, offer: ReferralOffer) -> list[KeptFile]:
    """Every file of this post that can be taken; the reasons for the others are among the errors of their fields."""
    found: list[KeptFile] = []
    wanted = [(f"file{number}", asked.code) for number, asked in enumerate(offer.asked_files)]
    for name, code in [*wanted, ("more", "")]:
        field = form[name]
        for upload in field.data if isinstance(field.data, list) else [field.data]:
            if isinstance(upload, FileStorage) and upload.filename:
                found += _received(field, upload, code, offer.establishment.tz)
    return found


def _received(field: Any, upload: FileStorage, code: str, tz: tzinfo) -> list[KeptFile]:
    arriving = uploads.arriving(upload)
    if arriving is None:
        return []
    try:
        stored = files.receive(arriving, upload.filename or "", kinds=_TAKEN)
    except FileRefused as refused:
        field.errors = [*field.errors, words_for(refused)]
        return []
    letter = _letter(stored)
    if letter is None and stored.media_type == Kind.CDA.media_type and stored.state == "clean":
        field.errors = [*field.errors, _("%(name)s is not a letter that can be read here.", name=stored.name)]
        return []
    said = f"{letter.kind} · {short_day(letter.at.astimezone(tz).date())}" if letter else ""
    return [KeptFile(stored.id, stored.name, code, stored.sha256.hex(), said)]


def _letter(stored: StoredFile) -> letters.Letter | None:
    return letters.read(stored) if stored.state == "clean" else None


def _keep_files(draft_id: UUID, form: PageForm, received: list[KeptFile]) -> None:
    """Add what came; take away what was shown with a tick and has none any more. In a transaction of its own: a form
    refused for another reason loses no file."""
    with db.transaction(db.current_actor()):
        _sort_files(mine(draft_id, to_change=True), form, received)


def _sort_files(draft: ReferralDraft, form: PageForm, received: list[KeptFile]) -> None:
    shown = set((form["shown_files"].data or "").split(","))
    ticked = set(form["files"].data or ())
    for each in draft.content.files:
        if str(each.id) in shown - ticked:
            actions.leave_file(draft, each.id)
    try:
        actions.take_files(draft, received)
    except TooMany:
        form["more"].errors = [*form["more"].errors, _("Twelve documents at most: leave one out first.")]
    except FileNotReadable:
        form["more"].errors = [*form["more"].errors, _("Choose this document again.")]
