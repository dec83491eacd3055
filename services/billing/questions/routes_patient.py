"""A payer's questions: ask about a bill, follow, go on, stop."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.web import branding
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.billing import queries as bills
from services.billing.queries import Standing
from services.billing.questions import actions, queries, wording
from services.billing.questions.actions import AlreadyAsked, NotThere
from services.billing.questions.forms import AskForm, GoOnForm
from services.billing.questions.models import BillQuestion
from services.billing.questions.states import KINDS, NotAllowed

pages = guards.patients(
    Blueprint("bill_questions", __name__, url_prefix="/factures", template_folder="templates"), "billing"
)
Answer = str | Response | tuple[str, int]


@pages.get("/<uuid:bill_id>/question")
def new(bill_id: UUID) -> Answer:
    """The form, or the thread that is under way already."""
    held = held_forms.take()
    found = _bill(bill_id)
    if (former := queries.under_way(bill_id)) is not None:
        return redirect(url_for(".thread", question_id=former.id), 303)
    form = AskForm(formdata=held) if held else AskForm(MultiDict(), kind=request.args.get("motif"))
    return render_template("questions/ask.html", form=form, found=found, bill=found.bill, wording=wording)


@pages.post("/<uuid:bill_id>/question")
@limiter.limit("20 per hour")
@once
def ask(bill_id: UUID) -> Answer:
    found = _bill(bill_id)
    form = AskForm()
    if not form.validate() or form.kind.data not in KINDS:
        return render_template("questions/ask.html", form=form, found=found, bill=found.bill, wording=wording), 422
    try:
        made = actions.ask(guards.patient_id(), bill_id, form.kind.data, form.text.data or "")
    except AlreadyAsked:
        flash(_("You have already asked about this bill: go on in the same conversation."), "info")
        return redirect(url_for(".new", bill_id=bill_id), 303)
    flash(_("Your message is sent. The billing office answers within five working days."), "success")
    return redirect(url_for(".thread", question_id=made.id), 303)


@pages.get("/questions/<uuid:question_id>")
def thread(question_id: UUID) -> Answer:
    held = held_forms.take()
    return _page(_mine(question_id), GoOnForm(formdata=held) if held else GoOnForm(MultiDict()))


@pages.post("/questions/<uuid:question_id>/ecrire")
@limiter.limit("60 per hour")
@once
def go_on(question_id: UUID) -> Answer:
    found, form = _mine(question_id), GoOnForm()
    if not form.validate():
        return _page(found, form), 422
    try:
        actions.go_on(guards.patient_id(), question_id, form.text.data or "")
        flash(_("Your message is sent."), "success")
    except NotAllowed:
        flash(_("This question is closed. You can ask another one from the bill."), "info")
    return redirect(url_for(".thread", question_id=question_id), 303)


@pages.post("/questions/<uuid:question_id>/clore")
def withdraw(question_id: UUID) -> Answer:
    try:
        actions.withdraw(guards.patient_id(), question_id)
        flash(_("Your question is closed."), "success")
    except NotThere:
        abort(404)
    except NotAllowed:
        flash(_("This question is already closed."), "info")
    return redirect(url_for(".thread", question_id=question_id), 303)


def _bill(bill_id: UUID) -> Standing:
    found = bills.one_of_patient(guards.patient_id(), bill_id) or abort(404)
    branding.wear_of(found.bill.establishment_id)
    return found


def _mine(question_id: UUID) -> BillQuestion:
    return branding.of(queries.one_of_patient(guards.patient_id(), question_id) or abort(404))


def _page(question: BillQuestion, form: GoOnForm) -> str:
    return render_template(
        "questions/thread.html",
        question=question,
        bill=question.bill,
        form=form,
        messages=queries.messages(question.id),
        changes=queries.changes(question.id),
        wording=wording,
    )
