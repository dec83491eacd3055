"""The unit's side: the tray with alerts first, one person's answers, what was done, sending by hand."""

from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_questionnaires import AlertForm, SendForm, days_of
from auth import guards, held_forms
from auth.agents import queries as agents
from auth.mandates import queries as mandates
from portal import db
from portal.establishments import Establishment
from portal.web.downloads import made_response
from portal.web.repeated_posts import once
from services.appointments.forms import FindPatientForm
from services.appointments.queries import find_patients, known_patient
from services.questionnaires import actions, queries, sheet, wording
from services.questionnaires.actions import (
    AlreadyWaiting,
    ChangedMeanwhile,
    NothingPublished,
    NothingToSee,
    Window,
    WindowClosed,
)
from services.questionnaires.models import RIGHT, SCOPE, SentQuestionnaire
from services.questionnaires.queries import TRAYS, Sieve

pages = guards.staff(
    Blueprint("admin_questionnaires", __name__, url_prefix="/admin/questionnaires", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


def here() -> frozenset[UUID]:
    """The hospitals where the agent may read answers."""
    return guards.establishments(RIGHT)


def hospitals() -> list[Establishment]:
    """The same, by name."""
    found = {each.establishment_id: each.establishment for each in queries.units_at(here())}
    return sorted(found.values(), key=lambda each: each.name)


# -- the tray ------------------------------------------------------------------------------------------------------


@pages.get("")
def tray() -> str:
    """Alerts first; the agent's own units when they have some, unless all are asked for."""
    units = queries.units_at(here())
    sieve, chosen = _sieve({each.id for each in units})
    page = max(1, min(request.args.get("page", 1, int), 1000))
    found = queries.tray(here(), sieve, page)
    shown = found[: queries.PAGE_SIZE]
    for establishment_id in {each.establishment_id for each in shown}:
        actions.open_tray(establishment_id, sum(each.establishment_id == establishment_id for each in shown))
    return render_template(
        "admin/questionnaires/tray.html",
        sent=shown,
        counts=queries.counts(here(), sieve),
        sieve=sieve,
        chosen=chosen,
        units=units,
        has_own_units=bool(agents.my_units() & {each.id for each in units}),
        titles={each.code: each.title for each in reversed(queries.definitions(here()))},
        page=page,
        has_more=len(found) > queries.PAGE_SIZE,
        locale=wording.locale(),
        now=db.now(),
    )


def _sieve(known: set[UUID]) -> tuple[Sieve, str]:
    """What the address asks for, and which choice of units it is: a unit's id, `mine` or `all`."""
    asked = request.args.get("unit", "mine")
    mine = agents.my_units() & known
    which = request.args.get("tray", "")
    name, code = which if which in TRAYS else "alerts", request.args.get("code", "")[:100].replace("\0", "")
    one = next((each for each in known if str(each) == asked), None)
    if one is not None:
        return Sieve(name, {one}, code), str(one)
    if asked == "mine" and mine:
        return Sieve(name, mine, code), "mine"
    return Sieve(name, None, code), "all"


# -- one person's answers ------------------------------------------------------------------------------------------


@pages.get("/<uuid:sent_id>")
def show(sent_id: UUID) -> str:
    """The answers in words, alerts marked. Opening them is written down."""
    sent = _one(sent_id)
    actions.open_answers(sent)
    held = held_forms.take()
    return _page(sent, AlertForm(formdata=held) if held else None)


def _page(sent: SentQuestionnaire, form: AlertForm | None = None, why: str = "") -> str:
    return render_template(
        "admin/questionnaires/show.html",
        sent=sent,
        heading=sent.title(wording.locale()),
        versions=queries.answers_of(sent),
        notes=queries.notes_of(sent),
        changes=queries.changes(sent),
        number=queries.number_of(sent),
        to_tell=mandates.accounts_to_tell(sent.patient_id, SCOPE, masked=sent.masked) if sent.is_open else [],
        form=form or AlertForm(MultiDict(), version=str(sent.answer_version)),
        why=why,
        now=db.now(),
    )


@pages.post("/<uuid:sent_id>/alerte")
@once
def see_to(sent_id: UUID) -> Answer:
    """The alerts were seen, and what was done."""
    sent, form = _one(sent_id), AlertForm()
    if not form.validate():
        return _page(sent, form), 422
    try:
        actions.see_to_alert(sent, form.shown_version, (form.note.data or "").strip())
    except (NothingToSee, ChangedMeanwhile) as refusal:
        db.session.rollback()
        why = "seen" if isinstance(refusal, NothingToSee) else "changed"
        return make_response(_page(_one(sent_id), why=why), 409)
    flash(_("The alert is seen to."), "success")
    return redirect(url_for(".show", sent_id=sent_id), 303)


@pages.get("/<uuid:sent_id>/reponses.pdf")
def pdf(sent_id: UUID) -> Response:
    """The latest answers, for the patient's folder."""
    sent = _one(sent_id)
    versions = queries.answers_of(sent) or abort(404)
    actions.open_answers(sent, "printed")
    data = sheet.write(sent, versions[0], wording.locale(), alerts=True, number=queries.number_of(sent))
    return made_response(data, _("answers") + ".pdf")


@pages.post("/<uuid:sent_id>/reprendre")
def take_back(sent_id: UUID) -> Answer:
    """It is not needed any more."""
    sent = _one(sent_id)
    try:
        actions.take_back(sent)
    except WindowClosed:
        db.session.rollback()
        return make_response(_page(_one(sent_id), why="closed"), 409)
    flash(_("It is taken back: the patient does not see it any more."), "success")
    return redirect(url_for(".show", sent_id=sent_id), 303)


def _one(sent_id: UUID) -> SentQuestionnaire:
    return queries.one_at(sent_id, here()) or abort(404)


# -- sending by hand -----------------------------------------------------------------------------------------------


@pages.route("/envoyer", methods=["GET", "POST"])
def find_patient() -> Answer:
    """To whom. A post, so that names and numbers stay out of addresses and logs."""
    held = held_forms.take()
    form = FindPatientForm(formdata=held) if held else FindPatientForm()
    form.offer({str(each.id): each.name for each in hospitals()})
    template = "admin/questionnaires/find_patient.html"
    if request.method == "GET":
        return render_template(template, form=form, found=None)
    if not form.validate():
        return render_template(template, form=form, found=None), 422
    establishment_id = UUID(form.establishment.data)
    name, born = form.birth_name.data or "", form.birth_on.data
    found = find_patients(establishment_id, ipp=(form.ipp.data or "").strip(), birth_name=name, birth_on=born)
    return render_template(template, form=form, found=found, establishment_id=establishment_id)


@pages.route("/envoyer/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
@once
def send(establishment_id: UUID, patient_id: UUID) -> Answer:
    """What, and until when."""
    hospital = next((each for each in hospitals() if each.id == establishment_id), None) or abort(404)
    patient = known_patient(patient_id, [hospital.id]) or abort(404)
    held = held_forms.take()
    form = SendForm(formdata=held) if held else SendForm()
    form.offer(queries.to_send([hospital.id]), queries.units_at([hospital.id]))
    told = mandates.accounts_to_tell(patient.id, SCOPE)
    if form.validate_on_submit():
        unit, asked = form.units[form.unit.data], form.questionnaires[form.questionnaire.data]
        window = Window(form.answer_days.data or 7, days_of(form.remind_after.data))
        try:
            sent = actions.send(patient.id, unit, asked, window)
        except AlreadyWaiting:
            form.questionnaire.errors = [_("The patient already has this questionnaire to answer")]
        except NothingPublished:
            form.questionnaire.errors = [_("This questionnaire was retired meanwhile: choose another one")]
        else:
            words = _("It is sent: the patient is told that something waits, without any detail.")
            flash(words if told else _("It is sent. The patient has no account yet: tell them by phone."), "success")
            return redirect(url_for(".show", sent_id=sent.id), 303)
    page = render_template(
        "admin/questionnaires/send.html", form=form, patient=patient, hospital=hospital, has_account=bool(told)
    )
    return page, 422 if form.errors else 200
