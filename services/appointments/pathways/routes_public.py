"""Pathways on offer, and the days when one is free: open to everybody."""

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from auth import guards
from portal import calendar, db, establishments
from services.appointments import for_whom
from services.appointments.forms import day_asked
from services.appointments.pathways import queries
from services.appointments.pathways.forms import slots_asked
from services.appointments.pathways.models import DAY, Pathway

pages = guards.public(Blueprint("pathways", __name__, url_prefix="/rendez-vous/parcours", template_folder="templates"))


@pages.get("")
def choose() -> str:
    """Every pathway one may book, of the group or of one hospital."""
    finess = request.args.get("establishment", "")[:9]
    return render_template(
        "pathways/choose.html",
        pathways=queries.on_offer(finess),
        establishments=establishments.establishments(),
        finess=finess,
    )


@pages.get("/<uuid:pathway_id>")
def choose_time(pathway_id: UUID) -> str | Response | tuple[str, int]:
    """What it is made of, and the next days when it can take place; once chosen, on to confirm it."""
    pathway = queries.one_on_offer(pathway_id) or abort(404)
    if request.args.get("slots"):
        return _on(pathway, request.args["slots"])
    page = render_template(
        "pathways/choose_time.html",
        pathway=pathway,
        ways=queries.ways(pathway, "web", first_day(pathway), for_whom.asked("").patient_id),
        is_first="from" not in request.args,
        nothing_chosen="continue" in request.args,
    )
    return (page, 422) if "continue" in request.args else page


def first_day(pathway: Pathway) -> date:
    """The day of the hospital's calendar that the address asks for, today at the earliest."""
    today = calendar.civil_day(db.now(), pathway.establishment.tz)
    return max(day_asked(request.args.get("from", "")) or today, today)


def _on(pathway: Pathway, text: str) -> Response:
    slots = slots_asked(text)
    if pathway.kind != DAY and len(slots) == 1:
        visits = queries.series(pathway, slots[0], "web", for_whom.asked("").patient_id)
        found = [each for each in visits if isinstance(each, queries.Visit)]
        text = "_".join(str(each.offer.slot) for each in found) or text
    return redirect(url_for("my_pathways.confirm", pathway_id=pathway.id, slots=text))
