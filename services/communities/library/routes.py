"""The library as members read it: searching, browsing, one document, its file."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal import calendar, db
from portal.files import FileNotReadable
from portal.web.downloads import file_response
from portal.web.fields import choices
from services.communities import frame, rights
from services.communities import wording as community_wording
from services.communities.actions import NotThere
from services.communities.library import asking, queries, search, states, wording
from services.communities.library.actions import documents, is_own, keeps, reviews
from services.communities.library.forms import AskForm, ReviewForm
from services.communities.library.models import LibraryDocument
from services.communities.library.queries import Shelf
from services.communities.library.search import Asked, Found
from services.communities.library.zones import zone_of

library_pages = frame.members_only(
    Blueprint("community_library", __name__, url_prefix=f"{frame.PREFIX}/bibliotheque", template_folder="templates")
)

_FILTERS = ("category", "kind", "file", "author", "since", "until", "late")


@library_pages.get("")
def browse(community_id: UUID) -> str:
    """The search and what it found; without words, everything, the latest first."""
    shelves, today = queries.shelves(community_id), day_of_the_community()
    asked = asking.asked(request.args, shelves, today)
    found = search.search(community_id, asked)
    return render_template(
        "library/browse.html", form=_form(shelves, community_id), asked=asked, found=found, shelves=shelves,
        today=today, words=wording, links=_links(community_id, asked, found),
        narrowed=_asks_for(*_FILTERS), more=_asks_for(*_FILTERS[2:], "sort"),
    )  # fmt: skip


@library_pages.get("/<uuid:document_id>")
def document(community_id: UUID, document_id: UUID) -> str:
    """One document: what it is, its versions, its review."""
    found = one(document_id)
    seat, today = frame.seat(), day_of_the_community()
    review = ReviewForm(data={"next_on": _in_a_year(today)})
    return render_template(
        "library/document.html", document=found, versions=queries.versions(document_id), today=today, words=wording,
        doubts=community_wording.DOUBTS, review=review, keeps=keeps(seat, found), reviews=reviews(seat, found),
        is_own=is_own(seat, found), moderates=seat.at_least(rights.MODERATOR), states=states,
    )  # fmt: skip


@library_pages.get("/<uuid:document_id>/versions/<int:number>")
def download(community_id: UUID, document_id: UUID, number: int) -> Response:
    """The file of a version, as it was sent: always a download, never a page."""
    version = queries.version(frame.seat(), document_id, number) or abort(404)
    try:
        return file_response(documents.hand_over(frame.seat(), version))
    except (NotThere, FileNotReadable):
        abort(404)


@library_pages.get("/<uuid:document_id>/couverture")
def cover(community_id: UUID, document_id: UUID) -> str:
    """The first sheet of a protocol that is printed: which version, approved by whom, until when."""
    found = one(document_id)
    if found.kind != "protocol":
        abort(404)
    version = queries.version(frame.seat(), document_id, found.current) or abort(404)
    return render_template(
        "library/cover.html", document=found, version=version, today=day_of_the_community(), words=wording
    )


@library_pages.get("/protocoles")
def protocols(community_id: UUID) -> str:
    """Protocols that are late, to be reviewed soon, or without a day."""
    today = day_of_the_community()
    return render_template(
        "library/protocols.html", found=queries.protocols(frame.seat(), today), today=today, words=wording
    )


@library_pages.get("/mes-documents")
def mine(community_id: UUID) -> str:
    """My drafts, what I withdrew, what was set aside."""
    frame.require(rights.CONTRIBUTOR)
    seat = frame.seat()
    own = [each for each in queries.set_aside(seat) if each.by_id == seat.member.account_id]
    return render_template(
        "library/mine.html", found=queries.mine(seat), aside={each.document_id for each in own}, words=wording
    )


@library_pages.get("/a-verifier")
def set_aside(community_id: UUID) -> str:
    """Documents where something looks like a patient, for moderators."""
    frame.require(rights.MODERATOR)
    return render_template(
        "library/set_aside.html", found=queries.set_aside(frame.seat()), doubts=community_wording.DOUBTS, words=wording
    )


def one(document_id: UUID) -> LibraryDocument:
    """The document of the page, or 404."""
    return queries.document(frame.seat(), document_id) or abort(404)


def day_of_the_community() -> date:
    return calendar.civil_day(db.now(), zone_of(frame.seat().community))


def _asks_for(*names: str) -> bool:
    return any(request.args.get(name) for name in names)


def _in_a_year(today: date) -> date:
    return today.replace(year=today.year + 1, day=min(today.day, 28))


def _form(shelves: Sequence[Shelf], community_id: UUID) -> AskForm:
    form = AskForm(request.args)
    found = [("", _("Any category"))]
    for shelf in shelves:
        found.append((str(shelf.category.id), shelf.category.name))
        found += [(str(each.id), f"{shelf.category.name} – {each.name}") for each in shelf.under]
    form.category.choices = choices(found)
    people = [(str(account_id), name) for account_id, name in queries.authors(community_id)]
    form.author.choices = choices([("", _("Anybody")), *people])
    return form


def _links(community_id: UUID, asked: Asked, found: Found) -> Mapping[str, str | None]:
    def to(page: int) -> str:
        values: dict[str, Any] = {name: value for name, value in request.args.items() if name != "page" and value}
        return url_for(".browse", community_id=community_id, **values, page=page)

    return {
        "previous": to(asked.page - 1) if asked.page > 1 else None,
        "next": to(asked.page + 1) if asked.page < found.last_page else None,
    }
