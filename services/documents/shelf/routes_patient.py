"""The patient's shelf: the list, its filters and its search, one letter, Mon espace santé."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth import queries as people
from portal import db
from services.documents import wording as room_wording
from services.documents.deposits import queries as deposits
from services.documents.reading import search
from services.documents.routes_patient import patient_pages
from services.documents.shelf import queries, sources, wording
from services.documents.shelf.forms import FilterForm, WordsForm
from services.documents.shelf.mes import actions as mes_actions
from services.documents.shelf.mes import queries as mes
from services.documents.shelf.queries import Filters, Line, Page
from services.documents.shelf.sources import Source
from services.pieces import wording as piece_wording

_LINES = 200


@patient_pages.get("")
def shelf() -> str:
    """My documents, those I have not opened first, then by month."""
    form = FilterForm(request.args, prefix="")
    number = min(max(1, request.args.get("page", 1, int)), 1000)
    chosen = next((each for each in _sources() if each.code == form.kind.data), None)
    page = queries.page(guards.patient_id(), account_id(), form.filters, number) if chosen is None else Page([])
    return _shelf_page(form, WordsForm(formdata=None), page, number=number, source=chosen)


@patient_pages.post("/rechercher")
def seek() -> str | tuple[str, int]:
    """Those that hold some words; a post, so that the words stay out of addresses."""
    form, words = FilterForm(request.args, prefix=""), WordsForm()
    if not words.validate():
        return _shelf_page(form, words, Page([])), 422
    if not words.typed:
        page = queries.page(guards.patient_id(), account_id(), Filters())
        return _shelf_page(form, words, page)
    found = frozenset(queries.titled(guards.patient_id(), words.typed))
    found |= frozenset(search.of_patient(guards.patient_id(), " ".join(words.typed)))
    page = queries.page(guards.patient_id(), account_id(), form.filters.without(found=found))
    return _shelf_page(form, words, page)


def _shelf_page(
    form: FilterForm, words: WordsForm, page: Page, *, number: int = 1, source: Source | None = None
) -> str:
    patient_id, counts = guards.patient_id(), queries.counts(guards.patient_id(), account_id())
    others = [(each, each.count(patient_id)) for each in _sources()]
    form.offer(counts, [(each.code, f"{each.title} ({total})") for each, total in others if total])
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name in form.data and value}
    return render_template(
        "shelf/shelf.html",
        patient=people.patient(patient_id),
        form=form,
        search=words,
        counts=counts,
        page=page,
        months=_by_month(page.others),
        source=source,
        source_lines=source.lines(patient_id, _LINES) if source else [],
        others=[(each, total) for each, total in others if total],
        waiting=deposits.waiting_for(patient_id) if number == 1 and not form.filters.any else [],
        filtered=bool(kept),
        previous_href=url_for(".shelf", **kept, page=number - 1) if number > 1 else None,
        next_href=url_for(".shelf", **kept, page=number + 1) if page.more and page_is_listed(words) else None,
        kept=kept,
        now=db.now(),
        words=wording,
        piece_words=piece_wording,
        room_words=room_wording,
    )


def page_is_listed(words: WordsForm) -> bool:
    """Whether further pages follow: what was found by words stands on one page."""
    return not words.typed


def _by_month(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """The lines under the month they are of, as their hospital's calendar says: `March 2027`."""

    def month(line: Line) -> tuple[int, int]:
        there = line.at.astimezone(line.hospital.tz)
        return there.year, there.month

    grouped = groupby(lines, key=month)
    return [(_named(found[0]), found) for _month, each in grouped if (found := list(each))]


def _named(line: Line) -> str:
    words = str(format_date(line.at.astimezone(line.hospital.tz).date(), "LLLL yyyy"))
    return words[:1].upper() + words[1:]


def _sources() -> list[Source]:
    """What other rooms lay on the shelf, of what the actor may see."""
    actor = db.current_actor()
    return [each for each in sources.sources() if guards.patient_id() in actor.people(each.scope)]


# -- Mon espace santé ----------------------------------------------------------------------------------------------


@patient_pages.get("/mon-espace-sante")
def national_record() -> str:
    """Whether my documents go to Mon espace santé."""
    return render_template("shelf/mes.html", opposition=mes.opposition_of(guards.patient_id()))


@patient_pages.post("/mon-espace-sante")
def choose_national_record() -> Response:
    """Object, or undo: one gesture."""
    wanted = request.form.get("sent")
    if wanted not in ("yes", "no"):
        abort(400)
    if wanted == "no":
        mes_actions.object_to(guards.patient_id())
        flash(_("Your documents are no longer sent to Mon espace santé."), "success")
    else:
        mes_actions.lift(guards.patient_id())
        flash(_("Your documents will be sent to Mon espace santé again."), "success")
    return redirect(url_for(".national_record"), 303)


def account_id() -> UUID:
    """The signed-in account: what it opened is its own business."""
    current = sessions.signed_in()
    return current.account_id if current else abort(403)
