"""How agents answer requests: ask for what is missing, refuse, hand over, certify; and their prepared answers."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import forms_record_requests as forms
from admin.routes_record_requests import Answer, both, desk, do, hospitals, opened, shown
from portal import db, files
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.web.repeated_posts import once
from services.documents.requests import actions, certificate, queries, settings, wording
from services.documents.requests.actions import NotThere
from services.documents.requests.actions.delivering import Item, Numbered
from services.documents.requests.models import RecordRequest, RecordRequestAnswer


def _deciding(name: str, found: RecordRequest, form: Any, **facts: Any) -> Answer:
    """The page of one decision; the version read goes with it."""
    if request.method == "GET":
        form.version.data = str(found.version)
    page = shown(name, asked=found, form=form, choices=settings.of(found.establishment_id), **facts)
    return (page, 422) if form.errors else page


@both("/<uuid:request_id>/demander", methods=["GET", "POST"])
@once
def ask_for(request_id: UUID) -> Answer:
    """Something is missing."""
    found, form, mine = opened(request_id), forms.AskForm(), desk()
    if not form.validate_on_submit():
        return _deciding("ask", found, form)
    missing, text = form.missing.data or [], form.text.data or ""
    return do(
        request_id,
        form,
        lambda: actions.ask_for(mine, request_id, missing, text, version=form.seen),
        _("The applicant is asked. The time of answer is stopped."),
    )


@both("/<uuid:request_id>/refuser", methods=["GET", "POST"])
@once
def refuse(request_id: UUID) -> Answer:
    found, form, mine = opened(request_id), forms.RefuseForm(), desk()
    form.offer(found)
    if not form.validate_on_submit():
        return _deciding("refuse", found, form)
    reason, text = form.reason.data, form.text.data or ""
    return do(
        request_id,
        form,
        lambda: actions.refuse(mine, request_id, reason, text, version=form.seen),
        _("The refusal is sent, with the ways of appeal."),
    )


@both("/<uuid:request_id>/remettre", methods=["GET", "POST"])
def deliver(request_id: UUID) -> Answer:
    """Hand the answer over. Uploads are received, and scanned, before anything is written."""
    found, form, mine = opened(request_id), forms.DeliverForm(), desk()
    known = mine.right == "documents" and queries.is_known_at(found.patient_id, found.establishment_id)
    form.offer(found, on_shelf=known)
    if form.is_submitted():
        valid = form.validate()
        taken = form.take_uploads()
        if valid and not form.errors:
            answer: Answer = _deliver(request_id=request_id, form=form, taken=taken)
            return answer
    return _deciding("deliver", found, form, known=known)


@once
def _deliver(request_id: UUID, form: forms.DeliverForm, taken: list[StoredFile]) -> Answer:
    mine, text, way = desk(), form.text.data or "", form.way.data
    found = queries.one_at(mine, request_id) or abort(404)
    if way == "here":
        items = form.items(taken, str(wording.KINDS[found.kind]))
        return do(
            request_id,
            form,
            lambda: actions.deliver(mine, request_id, items, text, version=form.seen),
            _("The answer is handed over, and the applicant told."),
        )
    return do(
        request_id,
        form,
        lambda: actions.mark_sent(mine, request_id, way, text, version=form.seen),
        _("Noted. The applicant is told."),
    )


# -- certificates ------------------------------------------------------------------------------------------------


@both("/<uuid:request_id>/certifier", methods=["GET", "POST"])
def certify(request_id: UUID) -> Answer:
    """Check the facts, then the portal prints, numbers and hands over the sheet."""
    found = opened(request_id)
    made = forms.CERTIFIED.get(found.kind) or abort(404)
    form = made() if request.method == "POST" else made(data=made.shown(found))
    form.about(found)
    if form.validate_on_submit():
        answer: Answer = _certify(request_id=request_id, form=form)
        return answer
    return _deciding("certify", found, form)


@once
def _certify(request_id: UUID, form: Any) -> Answer:
    mine = desk()
    found = queries.one_at(mine, request_id) or abort(404)
    numbered, facts = Numbered.drawn(), dict(form.facts())
    signer = settings.of(found.establishment_id).of("signer")
    data = certificate.written(found, facts, numbered, signer, db.now())
    title = certificate.title_of(found.kind)
    try:
        stored = files.receive(files.from_bytes([data]), f"{title} {numbered.number}.pdf")
    except FileRefused:
        abort(503)
    seen = forms.version_of(form.version.data)
    item = Item(stored.id, f"{title} {numbered.number}")
    return do(
        request_id,
        form,
        lambda: actions.certify(mine, request_id, numbered, facts, item, version=seen),
        _("The certificate is issued and handed over."),
    )


@both("/<uuid:request_id>/certificats/<uuid:certificate_id>/revoquer", methods=["POST"])
def revoke(request_id: UUID, certificate_id: UUID) -> Response:
    try:
        actions.revoke(desk(), request_id, certificate_id)
    except NotThere:
        abort(404)
    flash(_("The certificate is revoked: whoever checks it learns so."), "success")
    return redirect(url_for(".show", request_id=request_id), 303)


# -- what answers start from -------------------------------------------------------------------------------------


@both("/reponses")
def templates() -> str:
    mine = desk()
    kept = queries.answers(mine)
    mine_by_place = [(place, [each for each in kept if each.establishment_id == place.id]) for place in hospitals(mine)]
    return shown("templates", mine=mine, hospitals=mine_by_place)


@both("/reponses/nouvelle/<finess>", methods=["GET", "POST"])
@once
def new_template(finess: str) -> Answer:
    place = next((each for each in hospitals(desk()) if each.finess == finess), None) or abort(404)
    return _edit(place.id, None)


@both("/reponses/<uuid:answer_id>", methods=["GET", "POST"])
@once
def template(answer_id: UUID) -> Answer:
    found = queries.answer_at(desk(), answer_id) or abort(404)
    return _edit(found.establishment_id, found)


@both("/reponses/<uuid:answer_id>/supprimer", methods=["POST"])
def drop_template(answer_id: UUID) -> Response:
    actions.drop_answer(queries.answer_at(desk(), answer_id) or abort(404))
    flash(_("Answer removed."), "success")
    return redirect(url_for(".templates"), 303)


def _edit(establishment_id: UUID, found: RecordRequestAnswer | None) -> Answer:
    mine, form = desk(), forms.TemplateForm(obj=found)
    form.offer(mine.right)
    if form.validate_on_submit():
        kind, title, body = form.kind.data or "", form.title.data or "", form.body.data or ""
        actions.keep_answer(establishment_id, mine.right, kind, title, body, found)
        flash(_("Answer kept."), "success")
        return redirect(url_for(".templates"), 303)
    page = shown("template", mine=mine, form=form, answer=found)
    return (page, 422) if form.errors else page
