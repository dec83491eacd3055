"""Choosing a unit, a reason and a time: open to everybody, nothing to sign in for yet."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from auth import guards
from portal import db, establishments
from services.appointments import queries, wording
from services.appointments.forms import day_asked
from services.appointments.models import Reason

pages = guards.public(Blueprint("appointments", __name__, url_prefix="/rendez-vous", template_folder="templates"))


@pages.get("/choisir")
def choose() -> str:
    """Units and reasons, of the group or of one hospital, narrowed by words."""
    finess, wanted = request.args.get("establishment", "")[:9], request.args.get("q", "").strip()[:100]
    return render_template(
        "appointments/choose.html",
        units=_by_unit(queries.online_reasons(finess, wanted)),
        establishments=establishments.establishments(),
        finess=finess,
        wanted=wanted,
    )


def _by_unit(reasons: Sequence[Reason]) -> list[tuple[Reason, list[Reason]]]:
    """(one reason of the unit, all of them) for each unit, in the order given."""
    units: dict[UUID, list[Reason]] = {}
    for reason in reasons:
        units.setdefault(reason.unit_id, []).append(reason)
    return [(group[0], group) for group in units.values()]


@pages.get("/choisir-un-creneau")
def choose_slot() -> str | Response | tuple[str, int]:
    """The next free times for a reason; once one is chosen, on to the confirmation."""
    reason = queries.online_reason(_uuid("reason") or abort(404)) or abort(404)
    if request.args.get("slot"):
        return redirect(url_for("my_appointments.confirm", reason=reason.id, slot=request.args["slot"]))
    practitioner_id, tz = _uuid("practitioner"), reason.unit.establishment.tz
    first_day = max(day_asked(request.args.get("from", "")) or date.min, db.now().astimezone(tz).date())
    found = queries.open_slots(reason, reason.window("web", db.now()), first_day, practitioner_id)
    practitioners = queries.practitioners_for(reason)
    page = render_template(
        "appointments/choose_slot.html",
        reason=reason,
        days=wording.picker(
            (slot for day in found.days.values() for slot in day),
            tz,
            with_names=len(practitioners) > 1 and practitioner_id is None,
        ),
        next_day=found.next_day,
        is_first="from" not in request.args,
        practitioners=practitioners,
        practitioner_id=practitioner_id,
        nothing_chosen="continue" in request.args,
    )
    return (page, 422) if "continue" in request.args else page


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None
