"""The hospital's questionnaires: list, import, copy, preview, publish, renew, share, retire."""

import json
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import fault_words
from admin.forms_questionnaires import DuplicateForm, ImportForm, StartForm
from admin.routes_questionnaires import here, hospitals, pages
from portal import files
from portal.web import fhir, uploads
from portal.web.downloads import made_response
from portal.web.repeated_posts import once
from services.questionnaires import answers as rules
from services.questionnaires import fhir as resources
from services.questionnaires import forms, queries, wording
from services.questionnaires.actions import ChangedMeanwhile, CodeTaken, NotEditable
from services.questionnaires.actions import definitions as actions
from services.questionnaires.definition import parsing
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import Definition, Words
from services.questionnaires.definition.parsing import Fault, Unreadable
from services.questionnaires.definition.reading import MOST_BYTES
from services.questionnaires.models import Questionnaire
from services.questionnaires.states import NotAllowed
from services.referrals import queries as referrals

Answer = str | Response | tuple[str, int]


@pages.get("/modeles")
def library() -> str:
    """Drafts and what is published; what others share; what was retired, apart."""
    retired = bool(request.args.get("retired"))
    found = queries.definitions(here(), retired=retired)
    return render_template(
        "admin/questionnaires/library.html",
        questionnaires=found,
        retired=retired,
        shared=[] if retired else queries.shared_elsewhere(here()),
        several=len(hospitals()) > 1,
    )


@pages.route("/modeles/importer", methods=["GET", "POST"])
@once
def import_file() -> Answer:
    """A FHIR file becomes a draft, or all that is wrong in it is said at once."""
    form, faults = ImportForm(), list[Fault]()
    form.offer(hospitals())
    if form.validate_on_submit():
        try:
            made = actions.start(UUID(form.establishment.data), parsing.parse(_sent_file()))
        except Unreadable as unreadable:
            faults = unreadable.faults
        except CodeTaken:
            form.file.errors = [
                _("The hospital already has a questionnaire of this title: open it and make a new version")
            ]
        else:
            flash(_("The file is read: check the draft, then publish it."), "success")
            return redirect(url_for(".definition", questionnaire_id=made.id), 303)
    page = render_template(
        "admin/questionnaires/import.html", form=form, faults=[fault_words.said(each) for each in faults]
    )
    return page, 422 if faults or form.errors else 200


def _sent_file() -> bytes:
    """What was sent, of which nothing is stored. Raises Unreadable."""
    arriving = uploads.arriving(request.files.get("file"))
    if arriving is None or arriving.size == 0:
        raise Unreadable([Fault("", "no_file")])
    if arriving.size > MOST_BYTES:
        raise Unreadable([Fault("", "too_big")])
    data = arriving.read()
    files.discard(arriving.key)
    return data


@pages.route("/modeles/nouveau", methods=["GET", "POST"])
@once
def new_definition() -> Answer:
    """An empty draft, to write with the editor."""
    form = StartForm()
    form.offer(hospitals())
    if form.validate_on_submit():
        try:
            made = actions.start(UUID(form.establishment.data), Definition(Words((form.title.data or "").strip()), ()))
        except CodeTaken:
            form.title.errors = [_("The hospital already has a questionnaire of this title")]
        except Unreadable as unreadable:
            form.title.errors = [fault_words.said(each) for each in unreadable.faults]
        else:
            return redirect(url_for(".edit", questionnaire_id=made.id), 303)
    return render_template("admin/questionnaires/new.html", form=form), 422 if form.errors else 200


@pages.post("/modeles/<uuid:questionnaire_id>/copier")
def copy(questionnaire_id: UUID) -> Response:
    """What another hospital shares, as a draft of one's own."""
    shared = queries.shared_one(questionnaire_id) or abort(404)
    wanted = next((each for each in hospitals() if str(each.id) == request.form.get("establishment")), None)
    try:
        made = actions.copy(shared, (wanted or hospitals()[0]).id)
    except CodeTaken:
        flash(_("Your hospital already has a questionnaire of this name."), "warning")
        return redirect(url_for(".library"), 303)
    flash(_("It is copied: change it as you need, then publish it."), "success")
    return redirect(url_for(".definition", questionnaire_id=made.id), 303)


@pages.route("/modeles/<uuid:questionnaire_id>/dupliquer", methods=["GET", "POST"])
@once
def duplicate(questionnaire_id: UUID) -> Answer:
    """Another questionnaire of the hospital that begins as this one, under a title of its own."""
    found = one(questionnaire_id)
    form = DuplicateForm(data={"title": _("%(title)s (copy)", title=found.title)[:120]})
    if form.validate_on_submit():
        try:
            made = actions.duplicate(found, form.title.data or "")
        except CodeTaken:
            form.title.errors = [_("The hospital already has a questionnaire of this title")]
        except Unreadable as unreadable:
            form.title.errors = [fault_words.said(each) for each in unreadable.faults]
        else:
            return redirect(url_for(".edit", questionnaire_id=made.id), 303)
    page = render_template("admin/questionnaires/duplicate.html", form=form, found=found)
    return page, 422 if form.errors else 200


# -- one questionnaire ---------------------------------------------------------------------------------------------


@pages.get("/modeles/<uuid:questionnaire_id>")
def definition(questionnaire_id: UUID) -> Answer:
    """As the patient sees it, page by page, and what may be done with it."""
    return _definition_page(one(questionnaire_id))


def _definition_page(found: Questionnaire, faults: list[str] | None = None) -> str:
    whole = found.definition
    every = [each for each in rules.pages(whole) if each.questions]
    language = request.args.get("in", "")
    language = language if language in whole.languages else wording.locale()
    shown = frozenset(each.link_id for each in whole.walk())
    return render_template(
        "admin/questionnaires/definition.html",
        found=found,
        definition=whole,
        versions=queries.versions(found),
        uses=queries.uses(found),
        offers=referrals.offers_asking(found.establishment_id, found.code),
        pages=[
            (each, forms.of_page(each, shown, language)(None, prefix=f"p{each.number}-"), forms.names(each))
            for each in every
        ],
        shown=shown,
        at_first=enabled(whole, {}),
        locale=language,
        longest=rules.longest,
        faults=faults or [],
        form=None,
    )


@pages.get("/modeles/<uuid:questionnaire_id>/fhir.json")
def download(questionnaire_id: UUID) -> Response:
    """The FHIR file, to keep or take elsewhere: whole, with the status that the standard requires."""
    found = one(questionnaire_id)
    data = json.dumps(resources.questionnaire(found, fhir.base_url()), ensure_ascii=False, indent=2).encode()
    return made_response(data, f"{found.code}-{found.version}.json", "application/json")


@pages.post("/modeles/<uuid:questionnaire_id>/publier")
def publish(questionnaire_id: UUID) -> Answer:
    """From now on it is sent; nobody changes it any more."""
    found = one(questionnaire_id)
    try:
        actions.publish(found, request.form.get("seen", ""))
    except Unreadable as unreadable:
        faults = [fault_words.said(each) for each in unreadable.faults]
        return _definition_page(found, faults), 422
    except ChangedMeanwhile:
        flash(_("A colleague saved meanwhile: look at it again, then publish it."), "warning")
    except NotEditable:
        flash(_("It is published already."), "info")
    else:
        flash(_("It is published: it may be sent by hand, or by itself."), "success")
    return _back(questionnaire_id)


@pages.post("/modeles/<uuid:questionnaire_id>/nouvelle-version")
def renew(questionnaire_id: UUID) -> Response:
    made = actions.renew(one(questionnaire_id))
    return redirect(url_for(".edit", questionnaire_id=made.id), 303)


@pages.post("/modeles/<uuid:questionnaire_id>/retirer")
def retire(questionnaire_id: UUID) -> Response:
    try:
        actions.retire(one(questionnaire_id))
    except NotAllowed:
        flash(_("It is not published (any more)."), "info")
    else:
        flash(_("It is not sent any more; what was sent may still be answered."), "success")
    return _back(questionnaire_id)


@pages.post("/modeles/<uuid:questionnaire_id>/abandonner")
def drop(questionnaire_id: UUID) -> Response:
    try:
        actions.drop(one(questionnaire_id))
    except NotEditable:
        return _back(questionnaire_id)
    flash(_("The draft is deleted."), "success")
    return redirect(url_for(".library"), 303)


@pages.post("/modeles/<uuid:questionnaire_id>/partager")
def share(questionnaire_id: UUID) -> Response:
    """Let the other hospitals of the group copy it, or not any more."""
    found = one(questionnaire_id)
    actions.share(found, shared=not found.shared)
    flash(_("The other hospitals may copy it.") if found.shared else _("It is not shared any more."), "success")
    return _back(questionnaire_id)


def one(questionnaire_id: UUID) -> Questionnaire:
    """A questionnaire of a hospital of the agent."""
    return queries.definition_at(questionnaire_id, here()) or abort(404)


def _back(questionnaire_id: UUID) -> Response:
    return redirect(url_for(".definition", questionnaire_id=questionnaire_id), 303)
