"""One tray of everything that has a legal or promised date: whoever may answer a thing finds it here."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from admin import deadline_words, queries_deadlines, queries_figures
from admin.queries_deadlines import PAGE_SIZE, SOURCES, Deadline, Number, Wanted
from auth import guards
from portal import db

pages = guards.staff(Blueprint("admin_deadlines", __name__, url_prefix="/admin/echeances", template_folder="templates"))
_LAST_PAGE: Final = 1_000


@pages.get("")
def tray() -> str:
    """Late first. By address: nature, hopital, delai (`late`, `soon`), page. Agents without such a right see an empty
    list, which says why."""
    rights, wanted = db.current_actor().rights, _wanted()
    sources = queries_deadlines.sources(rights)
    numbers = queries_deadlines.numbers(rights, wanted.place)
    found = queries_deadlines.deadlines(rights, wanted)
    places = frozenset().union(*(rights[each.right] for each in sources)) if sources else frozenset()
    return render_template(
        "admin/deadlines/tray.html",
        deadlines=found[:PAGE_SIZE],
        has_next=len(found) > PAGE_SIZE,
        numbers=numbers,
        total=_total(numbers, wanted.kind),
        sources=sources,
        hospitals=queries_figures.hospitals(places) if places else (),
        wanted=wanted,
        kept=_kept(wanted),
        words=deadline_words,
        address=_address,
        now=db.now(),
    )


def _wanted() -> Wanted:
    told = request.args
    kind, urgency = told.get("nature", ""), told.get("delai", "")
    return Wanted(
        kind=kind if kind in SOURCES else "",
        place=told.get("hopital", type=UUID),
        urgency=urgency if urgency in ("late", "soon") else "",
        page=min(max(told.get("page", 1, type=int), 1), _LAST_PAGE),
    )


def _kept(wanted: Wanted) -> dict[str, str]:
    """The filters, as an address says them."""
    said = {"nature": wanted.kind, "hopital": str(wanted.place or "")}
    return {name: value for name, value in said.items() if value}


def _total(numbers: Mapping[str, Number], kind: str) -> Number:
    counted = [each for name, each in numbers.items() if kind in ("", name)]
    return Number(*(sum(getattr(each, part) for each in counted) for part in ("everything", "late", "soon")))


def _address(each: Deadline) -> str:
    where: dict[str, Any] = {each.source.parameter: each.id}
    return url_for(each.source.endpoint, **where)
