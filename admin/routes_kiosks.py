"""Terminals of the halls, for those who administer a hospital: let in with a code, followed, shut out."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_kiosks import KioskForm
from auth import guards
from portal import db
from portal.establishments import Establishment, establishments
from portal.web.repeated_posts import once
from services.appointments.kiosk import actions, queries
from services.appointments.kiosk.models import Kiosk

RIGHT = "administration"
pages = guards.staff(
    Blueprint("admin_kiosks", __name__, url_prefix="/admin/bornes", template_folder="templates"), right=RIGHT
)
Answer = Response | str | tuple[str, int]


@pages.get("")
def kiosks() -> str:
    here = _here()
    units = {each.id: each.name for each in queries.units(here)}
    return render_template("admin/kiosks/kiosks.html", kiosks=queries.kiosks(here), units=units, now=db.now())


@pages.get("/ajouter")
def new() -> str:
    form = KioskForm(MultiDict())
    _offer(form)
    return _form_page(form)


@pages.post("/ajouter")
def add() -> Answer:
    """The code is on the answer itself and nowhere else: it is kept as a digest. The same post again shows it again."""
    form = KioskForm()
    _offer(form)
    if not form.validate():
        return _form_page(form), 422
    kiosk, code = actions.add(UUID(form.establishment.data), form.described, db.now(), _key(form.once.data or ""))
    return _code_page(kiosk, code) if code else redirect(url_for(".show", kiosk_id=kiosk.id), 303)


def _key(once: str) -> UUID:
    try:
        return UUID(once)
    except ValueError:
        abort(400)


@pages.get("/<uuid:kiosk_id>")
def show(kiosk_id: UUID) -> str:
    kiosk, form = _one(kiosk_id), KioskForm(MultiDict())
    _offer(form, kiosk)
    form.show(kiosk)
    return _form_page(form, kiosk)


@pages.post("/<uuid:kiosk_id>")
@once
def change(kiosk_id: UUID) -> Answer:
    kiosk, form = _one(kiosk_id), KioskForm()
    _offer(form, kiosk)
    if not form.validate():
        return _form_page(form, kiosk), 422
    actions.change(kiosk, form.described)
    flash(_("Saved."), "success")
    return redirect(url_for(".kiosks"), 303)


@pages.post("/<uuid:kiosk_id>/code")
def renew(kiosk_id: UUID) -> str:
    """Another code, for another screen or for a browser that forgot."""
    kiosk = _open(kiosk_id)
    return _code_page(kiosk, actions.renew(kiosk, db.now()))


@pages.post("/<uuid:kiosk_id>/retirer")
def revoke(kiosk_id: UUID) -> Response:
    actions.revoke(_open(kiosk_id), db.now())
    flash(_("The terminal is shut out, from its next page on."), "success")
    return redirect(url_for(".kiosks"), 303)


def _code_page(kiosk: Kiosk, code: str) -> str:
    place = next(each for each in _places() if each.id == kiosk.establishment_id)
    minutes = int(actions.CODE_LIFE.total_seconds() // 60)
    return render_template("admin/kiosks/code.html", kiosk=kiosk, place=place, code=code, minutes=minutes)


def _form_page(form: KioskForm, kiosk: Kiosk | None = None) -> str:
    return render_template("admin/kiosks/kiosk.html", form=form, kiosk=kiosk)


def _offer(form: KioskForm, kiosk: Kiosk | None = None) -> None:
    """A terminal stays in its hospital: what it serves is there."""
    places = [each for each in _places() if kiosk is None or each.id == kiosk.establishment_id]
    form.offer(places, queries.units({each.id for each in places}))


def _places() -> Sequence[Establishment]:
    here = _here()
    return [each for each in establishments() if each.id in here]


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


def _one(kiosk_id: UUID) -> Kiosk:
    return queries.kiosk(kiosk_id, _here()) or abort(404)


def _open(kiosk_id: UUID) -> Kiosk:
    kiosk = _one(kiosk_id)
    return kiosk if kiosk.revoked_at is None else abort(404)
