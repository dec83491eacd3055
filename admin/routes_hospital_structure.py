"""Sites, units and practitioners of a hospital: added, changed, closed after a day; pages of the hospitals'
blueprint."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin import actions_structure as actions
from admin import hospital_words as words
from admin import queries_hospitals as queries
from admin.actions_structure import Afterwards, ElsewhereInGroup, HeirCloses, Member, NumberTaken
from admin.forms_hospitals import ClosingForm, PlaceClosingForm, PractitionerForm, SiteForm, UnitForm
from admin.routes_hospitals import Answer, hospital_of, pages
from auth import held_forms
from portal import calendar, db
from portal.establishments import Establishment, Practitioner, Site, Unit
from portal.web.fields import choices
from portal.web.repeated_posts import once

WORD: Final = "<any(sites,unites,praticiens):word>"
_MODELS: Final[Mapping[str, type[Member]]] = {"sites": Site, "unites": Unit, "praticiens": Practitioner}
_FORMS: Final[Mapping[str, Any]] = {"sites": SiteForm, "unites": UnitForm, "praticiens": PractitionerForm}
_TITLES: Final[Mapping[str, Any]] = {
    "sites": _l("Add a site"),
    "unites": _l("Add a unit"),
    "praticiens": _l("Add a practitioner"),
}


@pages.get("/<finess>/structure")
def structure(finess: str) -> Answer:
    """What the hospital is made of."""
    hospital = hospital_of(finess)
    return render_template(
        "admin/hospitals/structure.html",
        hospital=hospital,
        sites=queries.sites(hospital.id),
        units=queries.units(hospital.id),
        practitioners=queries.practitioners(hospital.id),
        today=_today(hospital),
        last_day=actions.last_day,
    )


@pages.route(f"/<finess>/{WORD}/ajouter", methods=["GET", "POST"])
@once
def add_member(finess: str, word: str) -> Answer:
    """A site, a unit or a practitioner more."""
    hospital = hospital_of(finess)
    held = held_forms.take()
    form = _FORMS[word](formdata=held) if held else _FORMS[word](data=_beside(request.args))
    _offer(form, hospital)
    if form.validate_on_submit() and _told(form, word, lambda: actions.add(hospital, _MODELS[word], form.facts)):
        flash(_("Added: the hospital has it from now on."), "success")
        return redirect(url_for(".structure", finess=finess, _anchor=word), 303)
    lacking = _lacking(form)
    page = render_template(
        "admin/hospitals/member.html", form=form, hospital=hospital, word=word, member=None, lacking=lacking,
        title=_TITLES[word],
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _beside(given: Mapping[str, str]) -> dict[str, str]:
    """The site or the unit from whose line one came."""
    return {name: given[name] for name in ("site_id", "unit_id") if name in given}


@pages.route(f"/<finess>/{WORD}/<uuid:member_id>", methods=["GET", "POST"])
@once
def change_member(finess: str, word: str, member_id: UUID) -> Answer:
    """Its name, its number, where it is."""
    hospital, member = _member(finess, word, member_id)
    held = held_forms.take()
    form = _FORMS[word](formdata=held) if held else _FORMS[word](data=_as_data(member, word))
    _offer(form, hospital, member)
    if form.validate_on_submit() and _told(form, word, lambda: actions.change(member, _typed(form.facts))):
        flash(_("Saved: everybody reads it at once."), "success")
        return redirect(url_for(".structure", finess=finess, _anchor=word), 303)
    page = render_template(
        "admin/hospitals/member.html", form=form, hospital=hospital, word=word, member=member, lacking="",
        title=words.name_of(member), last_on=actions.last_day(member),
        closing=queries.closing(member.id) if isinstance(member, Unit) else None,
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: UUID(value) if name.endswith("_id") else value for name, value in facts.items()}


def _as_data(member: Member, word: str) -> dict[str, Any]:
    names = {"sites": ("name", "finess_et", "address", "town"), "unites": ("name", "uf", "site_id", "phone", "floor")}
    known = names.get(word, ("title", "given_name", "family_name", "rpps", "speciality", "unit_id"))
    return {name: str(getattr(member, name)) for name in known}


def _offer(form: Any, hospital: Establishment, member: Member | None = None) -> None:
    """Fill its lists with what goes on, and with where it is already."""
    today = _today(hospital)
    if isinstance(form, UnitForm):
        kept = [each for each in queries.sites(hospital.id) if _stays(each, today, getattr(member, "site_id", None))]
        form.site_id.choices = choices((str(each.id), each.name) for each in kept)
    if isinstance(form, PractitionerForm):
        known = queries.units(hospital.id)
        listed = [each for each in known if _stays(each, today, getattr(member, "unit_id", None))]
        form.unit_id.choices = choices((str(each.id), f"{each.name} – {each.site.name}") for each in listed)


def _stays(place: Site | Unit, today: Any, current_id: UUID | None) -> bool:
    return place.closes_on is None or place.closes_on >= today or place.id == current_id


def _lacking(form: Any) -> str:
    """What must be added before."""
    if isinstance(form, UnitForm) and not form.site_id.choices:
        return "sites"
    return "unites" if isinstance(form, PractitionerForm) and not form.unit_id.choices else ""


def _told(form: Any, word: str, act: Any) -> bool:
    """Whether it could be done; otherwise the form says why."""
    try:
        act()
    except NumberTaken:
        form[actions.NUMBERS[_MODELS[word]]].errors = [_("The hospital has this number already.")]
        return False
    except ElsewhereInGroup:
        abort(404)
    return True


# -- the last day ------------------------------------------------------------------------------------------------


@pages.route(f"/<finess>/{WORD}/<uuid:member_id>/fermer", methods=["GET", "POST"])
def close_member(finess: str, word: str, member_id: UUID) -> Answer:
    """Its last day; whom that touches is shown, and its number is to be written, before it is done."""
    hospital, member = _member(finess, word, member_id)
    form = _closing_form(hospital, member)
    numbers: Mapping[str, int] | None = None
    if request.method == "POST" and form.validate() and _is_to_come(form, hospital):
        last_on = form.last_on.data
        numbers = queries.touched(member, last_on, hospital.tz)
        hospital, member = _member(finess, word, member_id)
        is_sure = not any(numbers.values()) or ("confirm" in request.form and _is_confirmed(form, member))
        if is_sure and _closed(form, member):
            flash(_("The last day is set: nothing can be booked after it."), "success")
            return redirect(url_for(".structure", finess=finess, _anchor=word), 303)
    page = render_template(
        "admin/hospitals/close.html",
        form=form, hospital=hospital, member=member, word=word, name=words.name_of(member),
        code=_code(member), touched=None if numbers is None else words.touched(numbers, member),
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _closing_form(hospital: Establishment, member: Member) -> ClosingForm:
    """With what was chosen before, when the last day of a unit is changed."""
    given = request.form if request.method == "POST" else MultiDict()
    if isinstance(member, Practitioner):
        return ClosingForm(given)
    said = queries.closing(member.id) if isinstance(member, Unit) else None
    call = hospital.phone or hospital.name
    usual = _("%(name)s has closed. Call %(phone)s to know where to go.", name=member.name, phone=call)
    kept = {"heir_id": str(said.heir_id or ""), "message": said.message} if said else {"message": usual}
    form = PlaceClosingForm(given, data=kept)
    form.heir_id.choices = choices([("", _("Nobody: it goes back to whoever sent it")), *_heirs(hospital, member)])
    return form


def _heirs(hospital: Establishment, member: Site | Unit) -> list[tuple[str, str]]:
    """Units that go on, of other sites when a site closes."""
    today = _today(hospital)
    others = [each for each in queries.units(hospital.id) if member.id not in (each.id, each.site_id)]
    return [(str(each.id), f"{each.name} – {each.site.name}") for each in others if _stays(each, today, None)]


def _closed(form: ClosingForm, member: Member) -> bool:
    """Whether it could be done; otherwise the form says why."""
    then = Afterwards()
    if isinstance(form, PlaceClosingForm):
        heir_id = UUID(form.heir_id.data) if form.heir_id.data else None
        then = Afterwards(heir_id, form.message.data or "")
    try:
        actions.close(member, form.last_on.data, then)
    except HeirCloses:
        form["heir_id"].errors = [_("This unit closes too: choose one that goes on.")]
        return False
    return True


def _is_to_come(form: ClosingForm, hospital: Establishment) -> bool:
    if form.last_on.data >= _today(hospital):
        return True
    form.last_on.errors = [_("The last day is today at the earliest.")]
    return False


def _is_confirmed(form: ClosingForm, member: Member) -> bool:
    if form.confirm.data == _code(member).upper():
        return True
    form.confirm.errors = [_("Write %(code)s to confirm.", code=_code(member))]
    return False


@pages.post(f"/<finess>/{WORD}/<uuid:member_id>/rouvrir")
def reopen_member(finess: str, word: str, member_id: UUID) -> Response:
    """Its last day is forgotten."""
    _hospital, member = _member(finess, word, member_id)
    actions.reopen(member)
    flash(_("It goes on: its agenda opens again."), "success")
    return redirect(url_for(".structure", finess=finess, _anchor=word), 303)


def _member(finess: str, word: str, member_id: UUID) -> tuple[Establishment, Member]:
    hospital = hospital_of(finess)
    return hospital, queries.member(_MODELS[word], member_id, hospital.id) or abort(404)


def _code(member: Member) -> str:
    return str(getattr(member, actions.NUMBERS[type(member)]))


def _today(hospital: Establishment) -> Any:
    return calendar.civil_day(db.now(), hospital.tz)
