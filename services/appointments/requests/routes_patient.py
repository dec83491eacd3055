"""A patient's requests: ask, follow, answer, take a time that is proposed."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth import queries as people
from auth.models import Patient
from portal import calendar, db
from portal.files import FileNotReadable
from portal.web import branding
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.appointments.actions import HoldEnded, PatientBusy
from services.appointments.requests import actions, queries
from services.appointments.requests.actions import AlreadyAsked, Asked, LetterNeeded, ProposalGone, RequestOver
from services.appointments.requests.forms import AcceptForm, AnswerForm, DeclineForm, RequestForm
from services.appointments.requests.models import AppointmentRequest

pages = guards.patients(
    Blueprint("requests", __name__, url_prefix="/rendez-vous/demandes", template_folder="templates"), "appointments"
)
Answer = Response | tuple[str, int]
_SOON = timedelta(days=7)


@pages.get("")
def mine() -> str:
    """My requests and those of the people I act for."""
    found = queries.of_patients(_people())
    return render_template("requests/mine.html", requests=found, several=len(_people()) > 1)


# -- asking ------------------------------------------------------------------------------------------------------


@pages.get("/nouvelle")
def new() -> str:
    """The form, for a reason or a unit (`?reason=`, `?unit=`) or to choose one."""
    held = held_forms.take()
    form = _offered(RequestForm(formdata=held) if held else RequestForm(MultiDict()))
    if not held:
        form.patient_id.data, form.about.data = str(guards.patient_id()), _asked_about(form)
        form.phone.data = db.session.get_one(Patient, guards.patient_id()).mobile
    return _form_page(form)


def _offered(form: RequestForm) -> RequestForm:
    may = _people()
    names = {str(each.patient_id): each.patient.full_name for each in people.people() if each.patient_id in may}
    form.offer(names, queries.reasons())
    return form


def _form_page(form: RequestForm, former: AppointmentRequest | None = None) -> str:
    day = calendar.civil_day(db.now(), calendar.GROUP_ZONE)
    example, later = (f"{each.day} {each.month} {each.year}" for each in (day + _SOON, day + 4 * _SOON))
    return render_template("requests/new.html", form=form, former=former, example=example, later=later)


def _asked_about(form: RequestForm) -> str:
    wanted = (f"{kind}:{request.args.get(kind, '')}" for kind in ("reason", "unit"))
    return next((each for each in wanted if each in form.reasons or each in form.units), "")


@pages.post("/nouvelle")
@once
def send() -> Answer:
    form = _offered(RequestForm())
    valid = form.validate()
    letter = form.take_letter()
    if not valid or form.file.errors:
        return _form_page(form), 422
    asked = Asked(
        form.unit, form.reason, form.wishes, (form.phone.data or "").strip(), (form.text.data or "").strip(),
        letter.id if letter else None,
    )  # fmt: skip
    patient_id = UUID(form.patient_id.data)
    try:
        made = actions.send(patient_id, asked)
    except LetterNeeded:
        form.file.errors = [_("This consultation needs a letter from a practitioner: join it, a photo is enough")]
        return _form_page(form), 422
    except AlreadyAsked:
        former = queries.open_one({patient_id}, asked.unit.id, asked.reason.id if asked.reason else None)
        return _form_page(form, former), 409
    return redirect(url_for(".receipt", request_id=made.id), 303)


@pages.get("/<uuid:request_id>/recu")
def receipt(request_id: UUID) -> str:
    """It has arrived, under which number, and what follows."""
    return render_template("requests/receipt.html", asked=_mine(request_id))


# -- following ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:request_id>")
def show(request_id: UUID) -> str:
    """Where it stands, what was written, what to do now."""
    held = held_forms.take()
    asked = _mine(request_id)
    return _page(asked, answer=AnswerForm(formdata=held) if held else AnswerForm(MultiDict()))


def _page(
    asked: AppointmentRequest,
    answer: AnswerForm | None = None,
    accepting: AcceptForm | None = None,
    declining: DeclineForm | None = None,
    why: str = "",
) -> str:
    proposed = queries.proposals(asked)
    to_take = [each for each in proposed if not each.outcome and each.expires_at > db.now()]
    return render_template(
        "requests/show.html",
        asked=asked,
        to_take=to_take,
        until=min((each.expires_at for each in to_take), default=None),
        messages=queries.messages(asked),
        changes=queries.changes(asked),
        answer=answer or AnswerForm(MultiDict()),
        accepting=accepting or AcceptForm(MultiDict()),
        declining=declining or DeclineForm(MultiDict()),
        why=why,
        form=next((each for each in (answer, accepting, declining) if each is not None), None),
    )


@pages.get("/<uuid:request_id>/lettres/<uuid:message_id>")
def letter(request_id: UUID, message_id: UUID) -> Response:
    """What I joined, as I sent it."""
    message = queries.message_of(_mine(request_id), message_id) or abort(404)
    if message.file is None:
        abort(404)
    try:
        return file_response(message.file, inline=True)
    except FileNotReadable:
        abort(404)


@pages.post("/<uuid:request_id>/repondre")
@once
def give_answer(request_id: UUID) -> Answer:
    """What the hospital asked for: words, a letter, or both."""
    asked, form = _mine(request_id), AnswerForm()
    valid = form.validate()
    sent = form.take_letter()
    if valid and sent is None and not form.file.errors and not (form.text.data or "").strip():
        form.explain_empty()
    if form.errors:
        return _page(asked, answer=form), 422
    try:
        actions.answer(asked, (form.text.data or "").strip(), sent.id if sent else None)
    except RequestOver:
        flash(_("Nothing is asked of you any more in this request."), "info")
    else:
        flash(_("Your answer is sent. The hospital goes on with your request."), "success")
    return redirect(url_for(".show", request_id=asked.id), 303)


@pages.post("/<uuid:request_id>/accepter")
def accept(request_id: UUID) -> Answer:
    """Take one of the times. A second click leads to the appointment that the first one made."""
    asked, form = _mine(request_id), AcceptForm()
    if asked.appointment_id is not None:
        return _to_appointment(asked.appointment_id)
    if not form.validate() or form.chosen is None:
        form.proposal.errors = form.proposal.errors or [_("Choose a time")]
        return _page(asked, accepting=form), 422
    try:
        made = actions.accept(asked, form.chosen)
    except PatientBusy:
        return _refused(asked, "busy")
    except (ProposalGone, HoldEnded):
        return _refused(asked, "gone")
    except RequestOver:
        again = _mine(request_id)
        return _to_appointment(again.appointment_id) if again.appointment_id else _refused(again, "gone")
    return _to_appointment(made.id)


def _to_appointment(appointment_id: UUID) -> Response:
    return redirect(url_for("my_appointments.booked", appointment_id=appointment_id), 303)


def _refused(asked: AppointmentRequest, why: str) -> Response:
    return make_response(_page(_mine(asked.id), why=why), 409)


@pages.post("/<uuid:request_id>/autres-dates")
def decline(request_id: UUID) -> Answer:
    """None of the times suits."""
    asked, form = _mine(request_id), DeclineForm()
    if not form.validate():
        return _page(asked, declining=form), 422
    try:
        actions.decline(asked, (form.text.data or "").strip())
    except RequestOver:
        flash(_("These times are not proposed any more."), "info")
    else:
        flash(_("The hospital looks for other times. Those it had kept for you are free again."), "success")
    return redirect(url_for(".show", request_id=asked.id), 303)


@pages.post("/<uuid:request_id>/retirer")
def withdraw(request_id: UUID) -> Response:
    asked = _mine(request_id)
    try:
        actions.withdraw(asked)
    except RequestOver:
        flash(_("This request is closed already."), "info")
    else:
        flash(_("Your request is withdrawn."), "success")
    return redirect(url_for(".show", request_id=asked.id), 303)


def _mine(request_id: UUID) -> AppointmentRequest:
    return branding.of(queries.one_of_patients(request_id, _people()) or abort(404))


def _people() -> frozenset[UUID]:
    """Oneself, and those whose appointments one may see to."""
    return db.current_actor().people("administrative")
