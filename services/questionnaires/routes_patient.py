"""The person's pages: what waits, one page of questions at a time, a check, what was sent."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import db
from portal.web import branding
from portal.web.downloads import made_response
from portal.web.repeated_posts import once
from services.questionnaires import actions, forms, queries, sheet, wording
from services.questionnaires import answers as rules
from services.questionnaires.actions import ChangedMeanwhile, Incomplete, NotAnAnswer, Saved, WindowClosed
from services.questionnaires.answers import Page
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import Answers
from services.questionnaires.forms import CorrectForm, PageForm, SubmitForm
from services.questionnaires.models import SERVICE, QuestionnaireDraft, SentQuestionnaire

pages = guards.patients(
    Blueprint("questionnaires", __name__, url_prefix="/questionnaires", template_folder="templates"), SERVICE
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def mine() -> str:
    """To answer, answered, and those whose time is over."""
    patient_id = guards.patient_id()
    found = queries.of_patient(patient_id)
    now = db.now()
    return render_template(
        "questionnaires/mine.html",
        to_answer=[each for each in found if each.is_open and each.until_at > now],
        answered=[each for each in found if each.state == "answered"],
        over=[each for each in found if each.state == "expired" or (each.is_open and each.until_at <= now)],
        drafts=queries.drafts_of(patient_id),
        locale=wording.locale(),
    )


@pages.get("/<uuid:sent_id>")
def show(sent_id: UUID) -> Answer:
    """What it is about and how long it takes; once sent: the answers, to read or print."""
    sent = _one(sent_id)
    if sent.state == "answered":
        versions = queries.answers_of(sent)
        return _render("show", sent, versions=versions, draft=actions.draft_of(sent), form=CorrectForm())
    if not actions.may_answer(sent):
        return _render("over", sent)
    draft = actions.draft_of(sent)
    left = _to_answer(sent, draft)
    return _render("start", sent, draft=draft, total=len(_pages(sent, draft)), first=left.number if left else None)


# -- answering -----------------------------------------------------------------------------------------------------


@pages.get("/<uuid:sent_id>/page/<int:number>")
def page(sent_id: UUID, number: int) -> Answer:
    """One page of questions, with what was answered before on any device."""
    sent = _one(sent_id)
    draft = actions.draft_of(sent)
    if refusal := _cannot_answer(sent, draft):
        return refusal
    found = _page_of(sent, draft, number)
    answers = _answers(draft)
    kind = forms.of_page(found, enabled(sent.definition, answers), wording.locale())
    held = held_forms.take()
    shown = {**forms.data_of(found, answers), "version": str(draft.version if draft else 0)}
    form = kind(formdata=held) if held else kind(data=shown)
    return _page(sent, draft, found, form)


@pages.post("/<uuid:sent_id>/page/<int:number>")
def save(sent_id: UUID, number: int) -> Answer:
    """Keep this page, then go to the next one, or back to the list for later."""
    sent = _one(sent_id)
    draft = actions.draft_of(sent)
    if refusal := _cannot_answer(sent, draft):
        return refusal
    found = _page_of(sent, draft, number)
    before = enabled(sent.definition, _answers(draft))
    form = forms.of_page(found, before, wording.locale())()
    is_valid = form.validate()
    if not _answers_all(form, found) or not is_valid:
        return _page(sent, draft, found, form), 422
    try:
        draft = actions.save(sent, Saved(forms.values_of(form, found), form.shown_version))
    except ChangedMeanwhile:
        return _changed(sent_id, number)
    except (WindowClosed, NotAnAnswer):
        return _render("over", _again(sent_id)), 409
    return _after(sent, draft, found, before)


def _answers_all(form: PageForm, found: Page) -> bool:
    """Whether every required question of the page has an answer; whoever stops or goes back need not give them."""
    if "later" in request.form or "back" in request.form:
        return True
    values, names = forms.values_of(form, found), forms.names(found)
    left = [each for each in found.questions if each.required and not values.get(each.link_id, True)]
    for each in left:
        field = form[names[each.link_id]]
        words = each.words.in_(wording.locale())
        field.errors = [*field.errors] or [_("Answer this: %(question)s", question=words)]
    return not left


def _after(sent: SentQuestionnaire, draft: QuestionnaireDraft, found: Page, before: frozenset[str]) -> Response:
    if "later" in request.form:
        flash(_("Your answers are kept. Go on whenever you like, on any device."), "success")
        return redirect(url_for(".mine"), 303)
    if "back" in request.form:
        former = [each.number for each in _pages(sent, draft) if each.number < found.number]
        return _go(sent, former[-1] if former else None, ".show")
    asked = enabled(sent.definition, draft.answers)
    new = {each.link_id for each in found.questions if each.link_id in asked - before}
    if new - set(draft.answers):
        # A question that follows from an answer of its own page; without JavaScript, the page comes again.
        flash(_("Your answers lead to something more on this page."), "info")
        return _go(sent, found.number, ".show")
    following = [each.number for each in _pages(sent, draft) if each.number > found.number]
    return _go(sent, following[0] if following else None, ".check")


def _go(sent: SentQuestionnaire, number: int | None, otherwise: str) -> Response:
    if number is None:
        return redirect(url_for(otherwise, sent_id=sent.id), 303)
    return redirect(url_for(".page", sent_id=sent.id, number=number), 303)


def _changed(sent_id: UUID, number: int) -> Answer:
    """Another device saved meanwhile: what was typed here stays on the page, to be kept or not."""
    sent = _again(sent_id)
    draft = actions.draft_of(sent)
    if refusal := _cannot_answer(sent, draft):
        return refusal
    found = _page_of(sent, draft, number)
    form = forms.of_page(found, enabled(sent.definition, _answers(draft)), wording.locale())()
    form.version.data = str(draft.version if draft else 0)
    others = _lines_of(found, sent, draft)
    return _page(sent, draft, found, form, elsewhere=others), 409


def _lines_of(found: Page, sent: SentQuestionnaire, draft: QuestionnaireDraft | None) -> list[wording.Line]:
    here = {each.link_id for each in found.questions}
    every = wording.lines(sent.definition, _answers(draft))
    return [each for each in every if each.item.link_id in here and each.answers]


def _page(sent: SentQuestionnaire, draft: QuestionnaireDraft | None, found: Page, form: PageForm, **shown: Any) -> str:
    every = [each.number for each in _pages(sent, draft)]
    return _render(
        "page",
        sent,
        page=found,
        form=form,
        names=forms.names(found),
        asked=enabled(sent.definition, _answers(draft)),
        rank=every.index(found.number) + 1,
        total=len(every),
        longest=rules.longest,
        **shown,
    )


# -- checking and sending ------------------------------------------------------------------------------------------


@pages.route("/<uuid:sent_id>/verification", methods=["GET", "POST"])
@once
def check(sent_id: UUID) -> Answer:
    """Every answer on one page, then the button that sends them."""
    sent = _one(sent_id)
    draft = actions.draft_of(sent)
    if refusal := _cannot_answer(sent, draft):
        return refusal
    form = SubmitForm(data={"version": str(draft.version if draft else 0)}) if request.method == "GET" else SubmitForm()
    if request.method == "GET" or not form.validate():
        return _check_page(sent, draft, form), 422 if form.is_submitted() else 200
    try:
        actions.submit(sent, form.shown_version)
    except Incomplete:
        return _check_page(sent, draft, form, why="missing"), 422
    except ChangedMeanwhile:
        again = _again(sent_id)
        fresh = actions.draft_of(again)
        form.version.data = str(fresh.version if fresh else 0)
        return _check_page(again, fresh, form, why="changed"), 409
    except WindowClosed:
        return _render("over", _again(sent_id)), 409
    return redirect(url_for(".sent", sent_id=sent.id), 303)


def _check_page(sent: SentQuestionnaire, draft: QuestionnaireDraft | None, form: SubmitForm, why: str = "") -> str:
    answers = rules.kept(sent.definition, _answers(draft))
    missing = {each.link_id for each in rules.missing(sent.definition, answers)}
    place = {each.link_id: page.number for page in rules.pages(sent.definition) for each in page.walk()}
    lines = wording.lines(sent.definition, answers)
    return _render("check", sent, lines=lines, missing=missing, place=place, form=form, why=why)


@pages.get("/<uuid:sent_id>/envoye")
def sent(sent_id: UUID) -> Answer:
    """They have arrived, and what follows."""
    found = _one(sent_id)
    if found.state != "answered":
        return redirect(url_for(".show", sent_id=found.id), 303)
    return _render("sent", found)


@pages.get("/<uuid:sent_id>/reponses.pdf")
def pdf(sent_id: UUID) -> Response:
    """My answers, to keep or print."""
    found = _one(sent_id)
    versions = queries.answers_of(found) or abort(404)
    actions.open_answers(found, "downloaded")
    data = sheet.write(found, versions[0], wording.locale(), alerts=False)
    return made_response(data, _("answers") + ".pdf")


@pages.post("/<uuid:sent_id>/corriger")
@once
def correct(sent_id: UUID) -> Answer:
    """Begin again from what was sent."""
    found = _one(sent_id)
    versions = queries.answers_of(found)
    try:
        actions.correct(found, versions[0] if versions else abort(404))
    except WindowClosed:
        flash(_("Your answers may not be changed any more. Call the unit if something is wrong."), "warning")
        return redirect(url_for(".show", sent_id=found.id), 303)
    return redirect(url_for(".check", sent_id=found.id), 303)


@pages.post("/<uuid:sent_id>/garder")
def keep(sent_id: UUID) -> Answer:
    """Give a correction up: what was sent stays as it is."""
    found = _one(sent_id)
    try:
        actions.give_up_correction(found)
    except WindowClosed:
        abort(404)
    flash(_("Your answers stay as you had sent them."), "success")
    return redirect(url_for(".show", sent_id=sent_id), 303)


# -- shared --------------------------------------------------------------------------------------------------------


def _one(sent_id: UUID) -> SentQuestionnaire:
    return branding.of(queries.one_of_patient(guards.patient_id(), sent_id) or abort(404))


def _again(sent_id: UUID) -> SentQuestionnaire:
    """As it is now, after a refusal: nothing of what was tried is kept."""
    db.session.rollback()
    return _one(sent_id)


def _render(name: str, sent: SentQuestionnaire, **shown: Any) -> str:
    language = wording.locale()
    return render_template(
        f"questionnaires/{name}.html",
        sent=sent,
        heading=sent.title(language),
        locale=language,
        may_answer=actions.may_answer(sent),
        **shown,
    )


def _cannot_answer(sent: SentQuestionnaire, draft: QuestionnaireDraft | None) -> Answer | None:
    if not actions.may_answer(sent):
        return _render("over", sent), 409 if request.method == "POST" else 200
    if sent.state == "answered" and draft is None:
        return redirect(url_for(".show", sent_id=sent.id), 303)
    return None


def _answers(draft: QuestionnaireDraft | None) -> Answers:
    return draft.answers if draft else {}


def _pages(sent: SentQuestionnaire, draft: QuestionnaireDraft | None) -> list[Page]:
    return rules.asked_pages(sent.definition, _answers(draft))


def _page_of(sent: SentQuestionnaire, draft: QuestionnaireDraft | None, number: int) -> Page:
    return next((each for each in _pages(sent, draft) if each.number == number), None) or abort(404)


def _to_answer(sent: SentQuestionnaire, draft: QuestionnaireDraft | None) -> Page | None:
    """The first page with something left to answer; None: everything is."""
    answers, shown = _answers(draft), enabled(sent.definition, _answers(draft))
    for each in _pages(sent, draft):
        left = [one for one in each.questions if one.link_id in shown and one.link_id not in answers]
        if any(one.required for one in left) or (left and len(left) == len(each.questions)):
            return each
    return None
