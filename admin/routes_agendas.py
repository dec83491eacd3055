"""Practitioners' agendas: weekly templates, previewed before they are published, one-off days, holidays."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import audit, calendar, db, jobs
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from portal.web.repeated_posts import once
from services.appointments.agendas import actions, forms, queries, wording
from services.appointments.agendas.actions import Draft, NothingTaken
from services.appointments.agendas.clashes import AlreadyReceives, RoomTaken
from services.appointments.agendas.forms import CalendarForm, DayForm, PeriodForm, TemplateForm, given
from services.appointments.agendas.models import SchoolHoliday, SessionTemplate
from services.appointments.agendas.plans import Plan
from services.appointments.agendas.queries import Scope

pages = guards.staff(
    Blueprint("admin_agendas", __name__, url_prefix="/admin/agendas", template_folder="templates"),
    right="appointments",
)


@pages.context_processor
def _words() -> dict[str, Any]:
    return {"agenda_words": wording}


def here() -> frozenset[UUID]:
    """Hospitals where the agent takes appointments."""
    return guards.establishments("appointments")


# -- a unit and a practitioner -----------------------------------------------------------------------------------


@pages.get("")
def unit() -> str:
    """Templates of a unit, by practitioner."""
    units = queries.units_at(here())
    if not units:
        return render_template("admin/agendas/no_unit.html")
    shown = asked_unit(units)
    return render_template(
        "admin/agendas/unit.html",
        units=units,
        unit=shown,
        templates=queries.of_unit(shown, _today(shown.establishment)),
        left=queries.count_stranded(Scope(here(), unit_id=shown.id)),
    )


def asked_unit(units: Sequence[Unit]) -> Unit:
    """The unit of the address, else the first; 404 for a unit of another hospital."""
    asked = request.args.get("unit", "")
    return next((each for each in units if str(each.id) == asked), None) or (abort(404) if asked else units[0])


def _today(establishment: Establishment) -> date:
    return calendar.civil_day(db.now(), establishment.tz)


@pages.get("/praticiens/<uuid:practitioner_id>")
def practitioner(practitioner_id: UUID) -> str:
    """The week of a practitioner as their templates make it, and when they are away."""
    whom = queries.practitioner(practitioner_id, here()) or abort(404)
    templates = queries.of_practitioner(whom, _today(whom.unit.establishment))
    return render_template(
        "admin/agendas/practitioner.html",
        practitioner=whom,
        templates=templates,
        week=_week(templates),
        absences=queries.absences_of(whom),
        tz=whom.unit.establishment.tz,
    )


_PARTS_OF_DAY = (("morning", 0, 12), ("afternoon", 12, 18), ("evening", 18, 24))


def _week(templates: Sequence[SessionTemplate]) -> list[tuple[str, list[list[SessionTemplate]]]]:
    """Part of the day → for each weekday, the templates that open in it."""
    return [
        (
            part,
            [
                sorted(
                    (each for each in templates if each.weekday == day and begins <= each.opens.hour < ends),
                    key=lambda each: each.opens,
                )
                for day in range(7)
            ],
        )
        for part, begins, ends in _PARTS_OF_DAY
    ]


# -- templates ---------------------------------------------------------------------------------------------------


@pages.route("/modeles/nouveau", methods=["GET", "POST"])
@once
def new_template() -> Response | str | tuple[str, int]:
    """A new template of a unit, or the copy of another one; shown before it is published."""
    units = queries.units_at(here())
    shown = asked_unit(units) if units else abort(404)
    model = _model()
    held = held_forms.take()
    form = TemplateForm(formdata=held) if held else TemplateForm(data=_first_facts(shown, model))
    return _template_page(form, shown, units, None, model)


def _model() -> SessionTemplate | None:
    """The template that is being copied."""
    asked = request.args.get("copy", "")
    if not asked:
        return None
    try:
        return queries.template(UUID(asked), here()) or abort(404)
    except ValueError:
        abort(404)


def _first_facts(shown: Unit, model: SessionTemplate | None) -> dict[str, Any]:
    today = _today(shown.establishment)
    if model is None:
        return {"first_on": today, "practitioner": request.args.get("practitioner", "")}
    facts = forms.template_facts(model) | {"first_on": max(today, model.first_on)}
    if model.unit_id != shown.id:
        names = {each.reason.name for each in model.reasons}
        facts["reasons"] = [str(each.id) for each in queries.reasons_of(shown) if each.name in names]
    return facts


@pages.route("/modeles/<uuid:template_id>", methods=["GET", "POST"])
@once
def edit_template(template_id: UUID) -> Response | str | tuple[str, int]:
    """Change a template; what becomes of its sessions is shown before it is done."""
    template = _template(template_id)
    held = held_forms.take()
    form = TemplateForm(formdata=held) if held else TemplateForm(data=forms.template_facts(template))
    return _template_page(form, template.unit, [], template, template)


def _template(template_id: UUID) -> SessionTemplate:
    return queries.template(template_id, here()) or abort(404)


def _template_page(
    form: TemplateForm, shown: Unit, units: Sequence[Unit], template: SessionTemplate | None, model: Any
) -> Response | str | tuple[str, int]:
    reasons = queries.reasons_of(shown)
    who = [template.practitioner] if template else _practitioners(shown)
    form.offer(who, reasons, queries.rooms_at([shown.establishment_id]))
    status = 200
    if request.method == "POST" and "back" not in request.form:
        if form.validate() and form.read_most(request.form):
            answer = _publish(form, shown, template)
            if answer is not None:
                return answer
            status = 409
        else:
            status = 422
    most = {each: request.form.get(f"{forms.MOST}{each.id}", "") for each in reasons} if request.form else {
        each: next((one.most for one in (model.reasons if model else ()) if one.reason.name == each.name), None) or ""
        for each in reasons
    }  # fmt: skip
    form.once.data = str(uuid4())
    page = render_template(
        "admin/agendas/template.html", form=form, unit=shown, units=units, template=template, reasons=reasons, most=most
    )
    return page, status


def _practitioners(shown: Unit) -> Sequence[Practitioner]:
    """Those of the unit first."""
    everybody = queries.practitioners_at([shown.establishment_id])
    return sorted(everybody, key=lambda each: each.unit_id != shown.id)


def _publish(form: TemplateForm, shown: Unit, template: SessionTemplate | None) -> Response | str | None:
    """The preview, or what follows the publication; None when the form says why not."""
    establishment = session.get_one(Establishment, shown.establishment_id)
    draft = Draft(
        UUID(form.practitioner.data),
        shown.id,
        form.rule,
        {UUID(each): most for each, most in form.most.items()},
        UUID(form.room.data) if form.room.data else None,
    )
    try:
        if "confirm" not in request.form:
            with db.taken_back():
                _template_id, plan = actions.publish(establishment, draft, template)
            return _preview(plan, _("Preview of the template"), establishment)
        template_id, _plan = actions.publish(establishment, draft, template)
    except RoomTaken as refusal:
        form.room.errors = [_clash(refusal, establishment)]
        return None
    except AlreadyReceives as refusal:
        form.opens.errors = [_clash(refusal, establishment)]
        return None
    except NothingTaken:
        return None
    flash(_("The template is published: its sessions are open."), "success")
    published = session.get_one(SessionTemplate, template_id)
    return redirect(url_for(".practitioner", practitioner_id=published.practitioner_id), 303)


def _clash(refusal: AlreadyReceives | RoomTaken, establishment: Establishment) -> str:
    day = f"{refusal.at.astimezone(establishment.tz):%d/%m/%Y}"
    if isinstance(refusal, RoomTaken):
        return str(_("%(name)s has this room at that hour, on %(day)s", name=refusal.practitioner, day=day))
    return str(_("%(name)s already receives at that hour, on %(day)s", name=refusal.practitioner, day=day))


def _preview(plan: Plan, title: str, establishment: Establishment) -> str:
    """What would be, and the same answers to send again."""
    stranded = queries.appointments(plan.stranded, here())
    if stranded:
        actions.open_list(establishment.id)
    posted = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "once")]
    return render_template(
        "admin/agendas/preview.html",
        title=title,
        plan=plan,
        stranded=stranded,
        posted=posted,
        once=str(uuid4()),
        tz=establishment.tz,
    )


# -- one-off days ------------------------------------------------------------------------------------------------


@pages.route("/modeles/<uuid:template_id>/jours", methods=["GET", "POST"])
@once
def days(template_id: UUID) -> Response | str | tuple[str, int]:
    """Days on which a template does not follow its rule."""
    template = _template(template_id)
    form = DayForm()
    form.template = template
    status = 200
    if request.method == "POST" and "back" not in request.form:
        status = 422
        if form.validate():
            answer = _set_day(form, template)
            if answer is not None:
                return answer
            status = 409
    form.once.data = str(uuid4())
    return render_template("admin/agendas/days.html", form=form, template=template), status


def _set_day(form: DayForm, template: SessionTemplate) -> Response | str | None:
    establishment, day = template.unit.establishment, given(form.day.data)
    facts: dict[str, Any] = {"is_open": form.how.data == "open", "opens": form.opens.data, "closes": form.closes.data}
    try:
        if "confirm" not in request.form:
            with db.taken_back():
                plan = actions.set_day(establishment, template, day, **facts)
            return _preview(plan, _("Preview of the day"), establishment)
        actions.set_day(establishment, template, day, **facts)
    except (AlreadyReceives, RoomTaken) as refusal:
        form.how.errors = [_clash(refusal, establishment)]
        return None
    flash(_("The day is changed; the weekly rule stays as it is."), "success")
    return redirect(url_for(".days", template_id=template.id), 303)


@pages.post("/modeles/<uuid:template_id>/jours/<string:day>/oublier")
def forget_day(template_id: UUID, day: str) -> Response:
    """Let a day follow the rule again."""
    template = _template(template_id)
    try:
        actions.forget_day(template.unit.establishment, template, date.fromisoformat(day))
    except ValueError:
        abort(404)
    except (AlreadyReceives, RoomTaken) as refusal:
        flash(_clash(refusal, template.unit.establishment), "danger")
        session.rollback()
        return redirect(url_for(".days", template_id=template_id), 303)
    flash(_("This day follows the weekly rule again."), "success")
    return redirect(url_for(".days", template_id=template_id), 303)


# -- holidays ----------------------------------------------------------------------------------------------------


@pages.get("/jours-feries")
def holidays() -> str:
    """Public and school holidays of the hospitals, for the year to come."""
    return _holidays_page({}, PeriodForm(MultiDict()))


@pages.post("/jours-feries/<uuid:establishment_id>")
def choose_holidays(establishment_id: UUID) -> Response | tuple[str, int]:
    """An administrator says when the hospital works; its agendas and its deadlines follow."""
    place, form = _administered(establishment_id), CalendarForm()
    if not form.validate():
        return _holidays_page({place.id: form}, form), 422
    place.holidays, place.school_zone = form.holidays.data, form.school_zone.data
    place.office_opens_at, place.office_closes_at = given(form.opens_at.data), given(form.closes_at.data)
    _holidays_changed(place)
    flash(_("The agendas will follow within a few minutes."), "success")
    return redirect(url_for(".holidays"), 303)


@pages.post("/jours-feries/<uuid:establishment_id>/vacances")
def add_period(establishment_id: UUID) -> Response | tuple[str, int]:
    """An administrator adds school holidays to the zone of the hospital."""
    place, form = _administered(establishment_id), PeriodForm()
    if not place.school_zone:
        abort(404)
    if not form.validate():
        return _holidays_page({place.id: form}, form), 422
    first_on, last_on = given(form.first_on.data), given(form.last_on.data)
    actions.add_school_holiday(place.school_zone, form.name.data or "", first_on, last_on)
    _holidays_changed(place)
    flash(_("The holidays are added."), "success")
    return redirect(url_for(".holidays"), 303)


@pages.post("/jours-feries/<uuid:establishment_id>/vacances/<uuid:period_id>/oublier")
def forget_period(establishment_id: UUID, period_id: UUID) -> Response:
    """An administrator takes school holidays out."""
    place = _administered(establishment_id)
    period = session.get(SchoolHoliday, period_id)
    if period is None or period.zone != place.school_zone:
        abort(404)
    session.delete(period)
    _holidays_changed(place)
    flash(_("The holidays are taken out."), "success")
    return redirect(url_for(".holidays"), 303)


def _administered(establishment_id: UUID) -> Establishment:
    if establishment_id not in guards.establishments("administration"):
        abort(403)
    return session.get_one(Establishment, establishment_id)


def _holidays_changed(place: Establishment) -> None:
    audit.record(
        "holidays.changed",
        establishment_id=place.id,
        object_kind="establishment",
        object_id=place.id,
        holidays=place.holidays,
        school_zone=place.school_zone,
        office=f"{place.office_opens_at:%H:%M}–{place.office_closes_at:%H:%M}",
    )
    jobs.enqueue("agendas.follow_the_calendar", establishment_id=str(place.id))


def _holidays_page(refused: dict[UUID, PeriodForm | CalendarForm], form: PeriodForm | CalendarForm) -> str:
    places = [session.get_one(Establishment, each) for each in sorted(here(), key=str)]
    return render_template(
        "admin/agendas/holidays.html",
        form=form,
        refused=refused,
        places=[_place(each, refused.get(each.id)) for each in places],
    )


def _calendar_form(place: Establishment) -> CalendarForm:
    return CalendarForm(
        MultiDict(),
        opens_at=place.office_opens_at,
        closes_at=place.office_closes_at,
        holidays=place.holidays,
        school_zone=place.school_zone,
    )


def _place(place: Establishment, refused: PeriodForm | CalendarForm | None) -> dict[str, Any]:
    today = _today(place)
    public = sorted(
        day
        for year in (today.year, today.year + 1)
        for day in calendar.public_holidays(year, place.holiday_rules)
        if today <= day < today.replace(year=today.year + 1, day=min(today.day, 28))
    )
    return {
        "establishment": place,
        "public": public,
        "school": queries.school_holidays(place.school_zone, today) if place.school_zone else [],
        "form": refused if isinstance(refused, CalendarForm) else _calendar_form(place),
        "period": refused if isinstance(refused, PeriodForm) else PeriodForm(MultiDict(), prefix=""),
        "may_change": place.id in guards.establishments("administration"),
    }
