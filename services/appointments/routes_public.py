"""Finding a consultation and choosing a time: open to everybody, nothing to sign in for yet."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import establishments
from portal.establishments import Establishment
from portal.web import searching
from services.appointments import for_whom, queries, times
from services.appointments.for_whom import ForWhom
from services.appointments.forms import search_asked
from services.appointments.models import Reason
from services.appointments.queries import Found
from services.appointments.queries.finding import Facets
from services.appointments.times import Address, Asker
from services.offer.wording import language_name

pages = guards.public(Blueprint("appointments", __name__, url_prefix="/rendez-vous", template_folder="templates"))


@pages.get("/choisir")
def choose() -> str:
    """Reasons that suit what is looked for, each with its first free day."""
    search, whom = search_asked(request.args), for_whom.asked(request.args.get("for", ""))
    results = queries.find(search)
    if not results.found:
        searching.found_nothing(search.words)
    reasons, hospitals = [each.reason for each in results.found], establishments.establishments()
    return render_template(
        "appointments/choose.html",
        search=search,
        results=results,
        units=[] if search.soonest else _by_unit(results.found),
        standings=queries.standings(whom.patient_id, reasons) if whom.patient_id else {},
        whom=whom,
        establishments=hospitals,
        options=_options(hospitals, results.facets),
        href=_search_href,
    )


def _options(hospitals: Sequence[Establishment], facets: Facets) -> dict[str, list[tuple[str, str]]]:
    """What each list of the search offers: (value, words)."""
    return {
        "hospitals": [(each.finess, each.name) for each in hospitals],
        "specialities": [(each, each) for each in facets.specialities],
        "towns": [(each, each) for each in facets.towns],
        "languages": [(code, language_name(code).capitalize()) for code in facets.languages],
    }


def _search_href(**changes: Any) -> str:
    """This search, with these changes."""
    kept: dict[str, Any] = {name: request.args.getlist(name) for name in request.args if name not in ("lang", *changes)}
    return url_for(".choose", **kept | {name: value for name, value in changes.items() if value})


def _by_unit(found: Sequence[Found]) -> list[tuple[Reason, list[Found]]]:
    """(one reason of the unit, all that was found there) for each unit, in the order given."""
    units: dict[UUID, list[Found]] = {}
    for each in found:
        units.setdefault(each.reason.unit_id, []).append(each)
    return [(group[0].reason, group) for group in units.values()]


@pages.get("/choisir-un-creneau")
def choose_slot() -> str | Response | tuple[str, int]:
    """The free times of a reason, the earliest first or a month at a glance; once one is chosen, on to confirm it."""
    address = Address.read(request.args)
    if request.args.get("slot"):
        wanted = [name for name in ("reason", "slot", "for") if name in request.args]
        chosen: dict[str, Any] = {name: request.args.getlist(name) for name in wanted}
        return redirect(url_for("my_appointments.confirm", **chosen))
    reasons, elsewhere = _reasons(address.reasons)
    whom = for_whom.asked(request.args.get("for", ""))
    if whom.must_choose:
        return render_template("appointments/for_whom.html", whom=whom, reason=reasons[0], address=address)
    return _page(address, reasons, elsewhere, whom)


def _page(
    address: Address, reasons: Sequence[Reason], elsewhere: Sequence[Reason], whom: ForWhom
) -> str | tuple[str, int]:
    standings = queries.standings(whom.patient_id, reasons) if whom.patient_id else None
    held = held_forms.take() if whom.is_somebody else None
    asker = Asker(whom.patient_id, standings)
    fixed = {"for": whom.patient_id} if whom.several else {}
    nothing_chosen = "continue" in request.args
    page = render_template(
        "appointments/choose_slot.html",
        times=times.shown(address, reasons, elsewhere, asker, ".choose_slot", **fixed),
        reason=reasons[0],
        standings=standings,
        whom=whom,
        selected=held.get("slot") if held else None,
        kept=queries.kept() if whom.is_somebody else None,
        nothing_chosen=nothing_chosen,
    )
    return (page, 422) if nothing_chosen else page


def _reasons(asked: Sequence[UUID]) -> tuple[list[Reason], list[Reason]]:
    """Those asked for, in the order given and one a unit, and their namesakes of the other units; 404 without any."""
    rows = queries.online_with_namesakes(asked) if asked else ()
    found = {each.id: each for each in rows}
    chosen = {found[each].unit_id: found[each] for each in reversed(asked) if each in found}
    if not chosen:
        abort(404)
    others = {each.unit_id: each for each in reversed(rows) if each.unit_id not in chosen}
    return list(reversed(chosen.values())), list(reversed(others.values()))
