"""What waits, by unit, for each agent as far as their rights go; and the shared addresses told of it each morning."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.forms_digests import AddressForm
from auth import guards
from auth.agents.queries import my_units
from auth.digests import actions, queries
from auth.digests.actions import AlreadyTold, UnknownUnit
from auth.digests.models import DigestAddress
from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from portal.web.repeated_posts import once

pages = guards.staff(Blueprint("admin_digests", __name__, url_prefix="/admin/en-attente", template_folder="templates"))
address_pages = guards.staff(
    Blueprint("admin_digest_addresses", __name__, url_prefix="/admin/recapitulatif", template_folder="templates"),
    right="administration",
)
RIGHT = "administration"


@pages.get("")
def overview() -> str:
    """Live: the units where the agent works first, or all of them."""
    mine = my_units()
    everything = queries.places(queries.counts(db.current_actor().rights, db.now()))
    only_mine = bool(mine) and request.args.get("tout") != "1"
    shown = [place for place in everything if place.unit is None or place.unit.id in mine] if only_mine else everything
    return render_template(
        "admin/digests/overview.html", places=shown, hidden=len(everything) - len(shown), has_units=bool(mine),
        only_mine=only_mine,
    )  # fmt: skip


@address_pages.route("", methods=["GET", "POST"])
def addresses() -> Response | tuple[str, int]:
    """Those of the hospitals that the agent administers."""
    form = _form()
    if form.validate_on_submit() and (done := _add(form=form)):
        answer: Response = done
        return answer
    found = queries.addresses(guards.establishments(RIGHT))
    return render_template("admin/digests/addresses.html", form=form, addresses=found), 422 if form.errors else 200


@once
def _add(form: AddressForm) -> Response | None:
    establishment_id, unit_id = form.chosen
    try:
        actions.add_address(establishment_id, unit_id, form.address.data or "")
    except AlreadyTold:
        form.address.errors = [_("This address is told of this already")]
        return None
    except UnknownUnit:
        abort(404)
    flash(_("This address is told from the next working morning on."), "success")
    return redirect(url_for(".addresses"), 303)


@address_pages.post("/<uuid:address_id>/arreter")
def stop_address(address_id: UUID) -> Response:
    """Tell it nothing any more."""
    found = session.get(DigestAddress, address_id)
    if found is None or found.establishment_id not in guards.establishments(RIGHT):
        abort(404)
    actions.stop_address(found)
    flash(_("This address is no longer told."), "success")
    return redirect(url_for(".addresses"), 303)


def _form() -> AddressForm:
    here = guards.establishments(RIGHT)
    form = AddressForm()
    hospitals = session.scalars(select(Establishment).where(Establishment.id.in_(here)).order_by(Establishment.name))
    units = session.scalars(select(Unit).where(Unit.establishment_id.in_(here)).order_by(Unit.name))
    form.offer(hospitals.all(), units.all())
    return form
