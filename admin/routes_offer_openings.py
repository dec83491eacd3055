"""Hours, exceptional days and contacts of the directory; pages of the directory's blueprint."""

from uuid import UUID

from flask import abort, flash, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_offer as queries
from admin.forms_offer import ClosureForm, ContactForm, HoursForm
from admin.routes_offer import PLACE, Answer, owner_of, pages, place_page
from auth import held_forms
from portal.web.repeated_posts import once
from services.offer import openings, wording
from services.offer.actions import editing
from services.offer.surroundings import Owner

USES = {"ouverture": "open", "visites": "visits"}


@pages.route(f"/{PLACE}/horaires/<any(ouverture,visites):use>", methods=["GET", "POST"])
def set_hours(word: str, owner_id: UUID, use: str) -> Answer:
    """The week, one line a day."""
    owner = owner_of(word, owner_id)
    form = _hours_form(owner, USES[use])
    if form.validate_on_submit():
        editing.set_hours(owner, USES[use], form.week, on_holidays=bool(form.on_holidays.data))
        flash(_("Saved: everybody reads it at once."), "success")
        return redirect(place_page(owner), 303)
    page = render_template("admin/offer/hours.html", form=form, owner=owner, word=word, use=use)
    return (page, 422) if form.errors else page


def _hours_form(owner: Owner, kind: str) -> HoursForm:
    held = held_forms.take()
    if held:
        return HoursForm(formdata=held)
    known = queries.hours(owner, kind)
    week = {
        f"day_{day}": openings.written([(each.opens, each.closes) for each in known if each.weekday == day])
        for day in range(7)
    }
    return HoursForm(data=week | {"on_holidays": bool(known) and all(each.on_holidays for each in known)})


@pages.route(f"/{PLACE}/jours-particuliers/ajouter", methods=["GET", "POST"])
@once
def announce(word: str, owner_id: UUID) -> Answer:
    """Days when it is closed, or open at other hours."""
    owner = owner_of(word, owner_id)
    held = held_forms.take()
    form = ClosureForm(formdata=held) if held else ClosureForm()
    if form.validate_on_submit():
        editing.announce(owner, form.starts_on.data, form.last_day, form.other_hours, form.reason.data or "")
        flash(_("Announced: everybody reads it at once."), "success")
        return redirect(place_page(owner), 303)
    page = render_template("admin/offer/closure.html", form=form, owner=owner, word=word)
    return (page, 422) if form.errors else page


@pages.post(f"/{PLACE}/jours-particuliers/<uuid:change_id>/retirer")
def take_back_days(word: str, owner_id: UUID, change_id: UUID) -> Response:
    """Those days follow the week again."""
    owner = owner_of(word, owner_id)
    editing.take_back(queries.change(change_id, owner) or abort(404))
    flash(_("These days follow the week again."), "success")
    return redirect(place_page(owner), 303)


# -- contacts ----------------------------------------------------------------------------------------------------


@pages.route(f"/{PLACE}/contacts/ajouter", methods=["GET", "POST"])
@once
def add_contact(word: str, owner_id: UUID) -> Answer:
    """One more way to reach it."""
    return _contact(owner_of(word, owner_id), word)


@pages.route(f"/{PLACE}/contacts/<uuid:contact_id>", methods=["GET", "POST"])
@once
def change_contact(word: str, owner_id: UUID, contact_id: UUID) -> Answer:
    """A number that changes."""
    return _contact(owner_of(word, owner_id), word, contact_id)


def _contact(owner: Owner, word: str, contact_id: UUID | None = None) -> Answer:
    contact = (queries.contact(contact_id, owner) or abort(404)) if contact_id else None
    held = held_forms.take()
    form = ContactForm(formdata=held) if held else ContactForm(obj=contact)
    if form.validate_on_submit():
        editing.write_contact(owner, contact, form.facts)
        flash(_("Saved."), "success")
        return redirect(place_page(owner), 303)
    page = render_template(
        "admin/offer/contact.html", form=form, owner=owner, word=word, contact=contact, wording=wording
    )
    return (page, 422) if form.errors else page


@pages.post(f"/{PLACE}/contacts/<uuid:contact_id>/retirer")
def remove_contact(word: str, owner_id: UUID, contact_id: UUID) -> Response:
    owner = owner_of(word, owner_id)
    editing.remove_contact(queries.contact(contact_id, owner) or abort(404))
    flash(_("Removed."), "success")
    return redirect(place_page(owner), 303)
