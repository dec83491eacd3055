"""Accepting a request: at a free time of the unit, as a stay to prepare, or at a date that is agreed elsewhere."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import abort, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from admin import actions_referrals
from admin.actions_referrals import NobodyKnown, PlannedStay
from admin.forms_referrals import DateForm, StayForm, TimeForm
from admin.routes_referral_answers import answered, form_page, restored, too_late
from admin.routes_referrals import Answer, one, pages
from portal import calendar, db
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.appointments import queries as appointments
from services.appointments import wording as appointment_words
from services.appointments.actions import NotBookable, PatientBusy, SlotTaken
from services.appointments.forms import day_asked
from services.appointments.models import Reason
from services.appointments.queries import SlotPage
from services.appointments.slots import Slot
from services.preadmission import queries as stays
from services.preadmission.actions import StayInThePast, UnitNotOpen
from services.preadmission.invitations.actions import VisitOfAnother
from services.referrals import definition
from services.referrals.actions import answering
from services.referrals.actions.answering import Outcome
from services.referrals.models import ReferralTarget
from services.referrals.states import NotPossibleNow


def _today(target: ReferralTarget) -> date:
    return calendar.civil_day(db.now(), target.establishment.tz)


# -- at a free time ------------------------------------------------------------------------------------------------


@pages.route("/<uuid:target_id>/rendez-vous", methods=["GET", "POST"])
@once
def book(target_id: UUID) -> Answer:
    """Accept and book, in one gesture. A time that was taken meanwhile is told, and nothing is half done."""
    target = one(target_id)
    if not db.current_actor().may("appointments", target.establishment_id):
        abort(403)
    reasons = _reasons(target)
    reason = _reason(target, reasons)
    form = TimeForm(MultiDict()) if request.method == "GET" else TimeForm()
    if request.method == "POST" and form.validate():
        if reason is None:
            abort(404)
        if done := _book(target, reason, form):
            return done
        return _times(target, reasons, reason, form, 409)
    return _times(target, reasons, reason, form)


def _book(target: ReferralTarget, reason: Reason, form: TimeForm) -> Answer | None:
    """The answer, or None when another time is to be chosen."""
    target_id = target.id
    try:
        actions_referrals.accept_at_a_time(target, reason.id, _slot(form), form.text.data or "")
    except NotPossibleNow:
        return too_late(target)
    except (NotBookable, NobodyKnown):
        abort(404)
    except SlotTaken:
        form.slot.errors = [_("This time has just been taken: choose another one.")]
        return None
    except PatientBusy:
        form.slot.errors = [_("The patient already has an appointment at that time: choose another one.")]
        return None
    return answered(target_id, _("Accepted, and the appointment is booked. The practitioner follows it too."))


def _slot(form: TimeForm) -> Slot:
    try:
        return Slot.parse(form.slot.data or "")
    except ValueError:
        abort(404)


def _reasons(target: ReferralTarget) -> Sequence[Reason]:
    """Those of the unit first, then the hospital's others."""
    found = appointments.reasons_at([target.establishment_id])
    return sorted(found, key=lambda each: each.unit_id != target.unit_id)


def _reason(target: ReferralTarget, reasons: Sequence[Reason]) -> Reason | None:
    """The one that the address names; to begin with, the unit's first."""
    wanted = request.args.get("motif", "")
    if request.method == "GET" and not wanted:
        return next((each for each in reasons if each.unit_id == target.unit_id), None)
    return next((each for each in reasons if str(each.id) == wanted), None)


def _times(
    target: ReferralTarget, reasons: Sequence[Reason], reason: Reason | None, form: TimeForm, status: int = 0
) -> Answer:
    found = _free(target, reason) if reason else None
    times = [slot for day in found.days.values() for slot in day] if found else []
    several = len({slot.practitioner for slot in times}) > 1
    return form_page(
        target,
        form,
        "book",
        status,
        reasons=reasons,
        reason=reason,
        days=appointment_words.picker(times, target.establishment.tz, with_names=several),
        next_day=found.next_day if found else None,
    )


def _free(target: ReferralTarget, reason: Reason) -> SlotPage:
    first = max(day_asked(request.args.get("du", "")) or _today(target), _today(target))
    return appointments.open_slots(reason, reason.window("phone", db.now()), first)


# -- as a stay -----------------------------------------------------------------------------------------------------


@pages.route("/<uuid:target_id>/sejour", methods=["GET", "POST"])
@once
def plan_stay(target_id: UUID) -> Answer:
    """Accept, and invite the patient to prepare their stay, in one gesture."""
    target = one(target_id)
    if not db.current_actor().may("preadmission", target.establishment_id):
        abort(403)
    form, units = restored(StayForm), _units(target)
    form.offer(units)
    if request.method == "GET" and form.stay_kind.data is None:
        form.stay_kind.data = actions_referrals.STAY_KINDS.get(target.referral.kind, "inpatient")
    if form.validate_on_submit() and (done := _plan(target, form)):
        return done
    return form_page(target, form, "stay", units=units)


def _units(target: ReferralTarget) -> list[Unit]:
    """Units of the hospital that invite to stays, the one that was asked first."""
    found = [each for each in stays.units_on_offer() if each.establishment_id == target.establishment_id]
    return sorted(found, key=lambda each: each.id != target.unit_id)


def _plan(target: ReferralTarget, form: StayForm) -> Answer | None:
    target_id = target.id
    assert form.planned_on.data is not None, "the form is valid"
    planned = PlannedStay(
        UUID(form.unit_id.data), form.planned_on.data, form.stay_kind.data, (form.visit_number.data or "").strip()
    )
    try:
        actions_referrals.accept_as_stay(target, planned, form.text.data or "")
    except NotPossibleNow:
        return too_late(target)
    except StayInThePast:
        form.planned_on.errors = [_("This day has passed: write a day to come.")]
    except VisitOfAnother:
        form.visit_number.errors = [_("This number belongs to another patient of the portal: nothing was changed.")]
    except UnitNotOpen:
        form.unit_id.errors = [_("This unit does not take files online any more.")]
    else:
        return answered(target_id, _("Accepted: the patient is invited to prepare the stay."))
    return None


# -- at a date agreed elsewhere ------------------------------------------------------------------------------------


@pages.route("/<uuid:target_id>/accepter", methods=["GET", "POST"])
@once
def accept(target_id: UUID) -> Answer:
    """Accept at a date that is not booked here, or without one: the unit calls the patient."""
    target, form = one(target_id), restored(DateForm)
    if request.method == "GET" and form.kind.data is None:
        usual = definition.OUTCOMES[target.referral.kind]
        form.kind.data = usual if usual in ("appointment", "stay") else "appointment"
    if form.validate_on_submit() and form.check(_today(target)):
        day = form.day.data
        at = actions_referrals.day_at(target, day, form.hour) if day else None
        try:
            answering.accept(target, Outcome(form.kind.data, None, at), form.text.data or "")
        except NotPossibleNow:
            return too_late(target)
        return answered(target_id, _("Accepted: the practitioner is told."))
    return form_page(target, form, "accept")
