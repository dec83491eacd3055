"""The billing agents' side of questions: the tray, one thread, and what answers start from."""

from collections.abc import Callable, Collection
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import establishments
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.billing import queries as bills
from services.billing.questions import actions, queries, wording
from services.billing.questions.actions import ChangedMeanwhile, NotThere
from services.billing.questions.forms import AnswerForm, TemplateForm
from services.billing.questions.models import BillAnswer, BillQuestion
from services.billing.questions.states import KINDS, OPEN, STATES, NotAllowed

pages = guards.staff(
    Blueprint("admin_bill_questions", __name__, url_prefix="/admin/factures/questions", template_folder="templates"),
    right="billing",
)
Answer = str | Response | tuple[str, int]
Act = Callable[[Collection[UUID]], BillQuestion]
_LAST_PAGE = 10_000


@pages.get("")
def tray() -> str:
    """Filters by address: etat, motif, page. Those to answer come first, the most urgent above."""
    places = guards.establishments("billing")
    state = request.args.get("etat", OPEN)
    kind = request.args.get("motif", "")
    state, kind = state if state in STATES else OPEN, kind if kind in KINDS else ""
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.at(places, state, kind, page)
    return render_template(
        "admin/bill_questions/tray.html",
        questions=found[: queries.PAGE_SIZE],
        has_next=len(found) > queries.PAGE_SIZE,
        page=page,
        state=state,
        kind=kind,
        counts=queries.counts(places),
        wording=wording,
    )


@pages.get("/<uuid:question_id>")
def show(question_id: UUID) -> Answer:
    """The thread; `modele` fills the answer with what agents start from."""
    found = _opened(question_id)
    held = held_forms.take()
    form = AnswerForm(formdata=held) if held else AnswerForm(MultiDict(), text=_start(found))
    if not held:
        form.version.data = found.version
    return _page(found, form)


@pages.post("/<uuid:question_id>/repondre")
@once
def answer(question_id: UUID) -> Answer:
    form = AnswerForm()
    if not form.validate():
        return _page(_opened(question_id), form), 422
    return _do(
        question_id,
        form,
        lambda places: actions.answer(
            places, question_id, form.text.data or "", version=form.version.data or "", closes=form.closes.data
        ),
        _("Your answer is sent."),
    )


@pages.post("/<uuid:question_id>/clore")
def close(question_id: UUID) -> Answer:
    form = AnswerForm(MultiDict())
    version = request.form.get("version", "")
    return _do(
        question_id,
        form,
        lambda places: actions.close(places, question_id, version=version),
        _("The question is closed."),
    )


def _do(question_id: UUID, form: AnswerForm, act: Act, said: str) -> Answer:
    try:
        act(guards.establishments("billing"))
    except NotThere:
        abort(404)
    except NotAllowed:
        flash(_("This question is already closed: nothing of yours was sent."), "warning")
    except ChangedMeanwhile:
        found = _opened(question_id)
        form.version.data = found.version
        return _page(found, form, changed=True), 409
    else:
        flash(said, "success")
    return redirect(url_for(".show", question_id=question_id), 303)


# -- what answers start from -------------------------------------------------------------------------------------


@pages.get("/reponses")
def templates() -> str:
    """Each hospital with its answers."""
    mine = _mine()
    kept = queries.answers([each.id for each in mine])
    return render_template(
        "admin/bill_questions/templates.html",
        hospitals=[(each, [one for one in kept if one.establishment_id == each.id]) for each in mine],
        wording=wording,
    )


@pages.route("/reponses/nouvelle/<finess>", methods=["GET", "POST"])
@once
def new_template(finess: str) -> Answer:
    place = next((each for each in _mine() if each.finess == finess), None) or abort(404)
    return _edit(place.id, None)


@pages.route("/reponses/<uuid:answer_id>", methods=["GET", "POST"])
@once
def template(answer_id: UUID) -> Answer:
    found = queries.answer_at(guards.establishments("billing"), answer_id) or abort(404)
    return _edit(found.establishment_id, found)


@pages.post("/reponses/<uuid:answer_id>/supprimer")
def drop_template(answer_id: UUID) -> Response:
    actions.drop_answer(queries.answer_at(guards.establishments("billing"), answer_id) or abort(404))
    flash(_("Answer removed."), "success")
    return redirect(url_for(".templates"), 303)


def _edit(establishment_id: UUID, found: BillAnswer | None) -> Answer:
    form = TemplateForm(obj=found)
    if form.validate_on_submit():
        actions.keep_answer(establishment_id, form.kind.data or "", form.title.data or "", form.body.data or "", found)
        flash(_("Answer kept."), "success")
        return redirect(url_for(".templates"), 303)
    page = render_template("admin/bill_questions/template.html", form=form, answer=found)
    return page, 422 if form.errors and request.method == "POST" else 200


# -- what each page needs ----------------------------------------------------------------------------------------


def _opened(question_id: UUID) -> BillQuestion:
    try:
        return actions.open_question(guards.establishments("billing"), question_id)
    except NotThere:
        abort(404)


def _start(question: BillQuestion) -> str:
    wanted = request.args.get("modele", type=UUID)
    found = queries.answer_at([question.establishment_id], wanted) if wanted else None
    return found.body if found else ""


def _page(question: BillQuestion, form: AnswerForm, *, changed: bool = False) -> str:
    return render_template(
        "admin/bill_questions/show.html",
        question=question,
        bill=question.bill,
        standing=bills.one_at([question.establishment_id], question.bill_id),
        form=form,
        changed=changed,
        messages=queries.messages(question.id),
        changes=queries.changes(question.id),
        answers=queries.answers([question.establishment_id], question.kind),
        wording=wording,
    )


def _mine() -> list[Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]
