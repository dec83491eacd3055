"""What a single room costs at my hospitals, from a day on."""

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import SelectField
from wtforms.validators import InputRequired

from auth import guards, held_forms
from portal import calendar, db
from portal.establishments import Unit
from portal.web.fields import DateParts, EuroField, choices
from portal.web.forms import OnceForm, Required
from portal.web.repeated_posts import once
from services.preadmission import queries as preadmission_queries
from services.preadmission.prices import actions, queries
from services.preadmission.prices.actions import AlreadyShown, NotOfTheHospital

price_pages = guards.staff(
    Blueprint("admin_room_prices", __name__, url_prefix="/admin/prix-des-chambres", template_folder="templates"),
    right="administration",
)


class PriceForm(OnceForm):
    """where: `<establishment>` for all its units, or `<establishment>/<unit>`."""

    where = SelectField(_l("Where"), validators=[Required(_l("Choose a hospital or a unit."))])
    price_cents = EuroField(
        _l("Price a day"),
        validators=[InputRequired(_l("Write the price of a day."))],
        min_cents=0,
        max_cents=100_000,
    )
    starts_on = DateParts(
        _l("From which day?"),
        validators=[InputRequired(_l("Write the first day of this price."))],
        description=_l("The price on the day of the stay is shown to patients, and kept with their choice."),
    )

    def place(self) -> tuple[UUID, UUID | None]:
        hospital, _slash, unit = self.where.data.partition("/")
        return UUID(hospital), UUID(unit) if unit else None


@price_pages.get("")
def overview() -> str:
    """Every price: in force, to come, past."""
    return _page(_offered(PriceForm()))


@price_pages.post("")
@once
def add() -> Response | tuple[str, int]:
    """A price is never changed: another one follows it."""
    held = held_forms.take()
    form = _offered(PriceForm(formdata=held) if held else PriceForm())
    if not form.validate_on_submit():
        return _page(form), 422
    hospital, unit = form.place()
    try:
        actions.set_price(hospital, unit, form.price_cents.data, form.starts_on.data)
    except NotOfTheHospital:
        abort(404)
    flash(_("Saved: patients read it from that day on."), "success")
    return redirect(url_for(".overview"), 303)


@price_pages.post("/<uuid:price_id>/retirer")
def take_back(price_id: UUID) -> Response:
    """Give up a price that has not begun."""
    price = queries.one_at(price_id, _here()) or abort(404)
    try:
        actions.take_back(price, calendar.civil_day(db.now(), price.establishment.tz))
    except AlreadyShown:
        flash(_("This price applies already, and people have read it: set another one instead."), "warning")
    else:
        flash(_("The price is taken back."), "success")
    return redirect(url_for(".overview"), 303)


def _here() -> frozenset[UUID]:
    return guards.establishments("administration")


def _offered(form: PriceForm) -> PriceForm:
    units = _units()
    hospitals = {unit.establishment_id: unit.establishment for unit in units}
    offered = choices([("", _("Choose…"))])
    for hospital in hospitals.values():
        whole = choices([(str(hospital.id), _("All units"))])
        own = choices((f"{hospital.id}/{unit.id}", unit.name) for unit in units if unit.establishment_id == hospital.id)
        for choice in (*whole, *own):
            choice.optgroup = hospital.name
        offered += [*whole, *own]
    form.where.choices = offered
    return form


def _units() -> list[Unit]:
    return list(preadmission_queries.units_of(_here()))


def _page(form: PriceForm) -> str:
    prices = queries.all_at(_here())
    today: dict[UUID, date] = {
        each.establishment_id: calendar.civil_day(db.now(), each.establishment.tz) for each in prices
    }
    return render_template("admin/room_prices/overview.html", form=form, prices=prices, today=today)
