"""One file on the agent's screen: the documents beside what was typed, what compares, what does not, its story."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_preadmission import Answer, here, preadmission_pages
from auth.identity import nir
from portal import calendar, db
from portal.files import FileNotReadable
from portal.web.downloads import shown_response
from portal.web.ui import short_day
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.models import HAS_EXPIRY, Piece, PiecePage
from services.preadmission import actions, additions, queries, states, steps, wording
from services.preadmission.answers import Answers, Coverage
from services.preadmission.asked import Facts
from services.preadmission.models import Preadmission
from services.preadmission.office import actions as office_actions
from services.preadmission.office import comparison
from services.preadmission.office import queries as office
from services.preadmission.office import wording as office_words
from services.preadmission.office.comparison import Description
from services.preadmission.office.forms import (
    AcceptPieceForm,
    CardForm,
    DecisionForm,
    NoteForm,
    RefusePieceForm,
)

ZOOMS = (100, 150, 200, 300)
_DECIDABLE = (*states.TO_PROCESS, "to_complete")


@dataclass(frozen=True)
class Screen:
    """The page of a piece that is on the screen. sheet: of a PDF that is shown as images, from 1. zoom: of `ZOOMS`."""

    piece: Piece | None
    page: PiecePage | None
    sheet: int
    zoom: int
    places: Sequence[tuple[Piece, PiecePage, int]]

    @property
    def rank(self) -> int:
        """Where it stands among all the pages, from 0."""
        wanted = (self.page.id if self.page else None, self.sheet)
        return next((rank for rank, (_piece, page, sheet) in enumerate(self.places) if (page.id, sheet) == wanted), 0)


@preadmission_pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> Answer:
    """One file. Opening it is written down, and colleagues see that it is open."""
    file = one(preadmission_id)
    if file.state == "draft":
        return redirect(url_for(".entry", preadmission_id=file.id), 303)
    return file_page(file, present=office_actions.look(file))


@preadmission_pages.get("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/pages/<uuid:page_id>")
def piece_page(preadmission_id: UUID, piece_id: UUID, page_id: UUID) -> Response:
    """A page as people are shown it: upright, a copy, marked when it is an identity document. Written down."""
    file, piece = one_with_piece(preadmission_id, piece_id)
    page = piece_queries.page_of(piece, page_id) or abort(404)
    today = calendar.civil_day(db.now(), file.establishment.tz)
    mark = f"{file.establishment.name} – {db.current_actor().name} – {short_day(today)}"
    sheet = min(max(request.args.get("feuille", 1, type=int), 1), max(page.file.sheets, 1))
    try:
        as_image = sheet if page.file.shown_type == "application/pdf" else None
        return shown_response(piece_actions.hand_over(page, sheet=as_image, watermark=mark))
    except FileNotReadable:
        abort(404)


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/pages/<uuid:page_id>/tourner")
def turn_page(preadmission_id: UUID, piece_id: UUID, page_id: UUID) -> Response:
    """Turn a page a quarter, for everybody who looks at it. Nothing is judged by it."""
    file, piece = one_with_piece(preadmission_id, piece_id)
    page = piece_queries.page_of(piece, page_id) or abort(404)
    piece_actions.turn_page(page, page.rotation + (270 if request.form.get("way") == "left" else 90))
    office_actions.stay_on(file)
    return redirect(address(file, page, request.form.get("feuille", 1, type=int)), 303)


@preadmission_pages.post("/<uuid:preadmission_id>/numero")
def reveal_nir(preadmission_id: UUID) -> str:
    """The file, with the whole social security number on this page alone."""
    file = one(preadmission_id)
    actions.reveal_nir(file)
    cover = queries.answers_of(file.id).get("coverage")
    return file_page(file, whole_nir=nir.spelled(cover.nir) if isinstance(cover, Coverage) and cover.nir else "")


@preadmission_pages.post("/<uuid:preadmission_id>/presence")
def presence(preadmission_id: UUID) -> Response:
    """The page says that it is still open."""
    office_actions.stay_on(one(preadmission_id))
    return Response(status=204)


@preadmission_pages.post("/<uuid:preadmission_id>/notes")
def note(preadmission_id: UUID) -> Answer:
    file, form = one(preadmission_id), NoteForm(prefix="note")
    if not form.validate():
        return file_page(file, note=form, form=form), 422
    office_actions.note(file, (form.body.data or "").strip())
    office_actions.stay_on(file)
    flash(_("Note left for colleagues."), "success")
    return redirect(address(file), 303)


@preadmission_pages.post("/<uuid:preadmission_id>/piece-d-identite")
def read_card(preadmission_id: UUID) -> Answer:
    """Write down what is on the card, to compare it."""
    file, form = one(preadmission_id), CardForm(prefix="card")
    if not form.validate():
        return file_page(file, card=form, form=form), 422
    office_actions.read_card(file, form.description())
    flash(_("Compared: see the traits."), "success")
    return redirect(address(file), 303)


# -- shared with the decisions -------------------------------------------------------------------------------------


def one(preadmission_id: UUID) -> Preadmission:
    return queries.one_at(here(), preadmission_id) or abort(404)


def one_with_piece(preadmission_id: UUID, piece_id: UUID) -> tuple[Preadmission, Piece]:
    file = one(preadmission_id)
    return file, piece_queries.one_of_folder(file.id, piece_id) or abort(404)


def address(file: Preadmission, page: PiecePage | None = None, sheet: int = 1) -> str:
    """The file, with the same page of the same document on the screen."""
    shown = page.id if page else request.values.get("vue", type=UUID)
    return url_for(".show", preadmission_id=file.id, vue=shown, feuille=sheet if sheet > 1 else None)


def file_page(file: Preadmission, **shown: Any) -> str:
    """The file; `shown` holds a form that was refused, with its errors where they are."""
    pieces, answers = piece_queries.of_folder(file.id), queries.sent_of(file)
    sources = office.descriptions(file, answers)
    if "present" not in shown:
        shown["present"] = office.present([file.id]).get(file.id, ())
    return render_template(
        "admin/preadmission/file.html",
        file=file,
        pieces=pieces,
        screen=_screen(pieces),
        zooms=ZOOMS,
        has_expiry=HAS_EXPIRY,
        told=steps.told_of(answers),
        lines=comparison.lines(sources),
        sources=[source for source in office.SOURCES if source in sources],
        from_provider=office.is_from_provider(file),
        story=office.story(file.id, {piece.id: piece.kind for piece in pieces}),
        notes=additions.desk_notes(file),
        missing=actions.missing(pieces),
        settled=actions.settled(pieces),
        words=wording,
        piece_words=piece_wording,
        office_words=office_words,
        **_standing(file),
        **_doubts(file, answers, pieces),
        **_forms(file, sources) | shown,
    )


def _standing(file: Preadmission) -> dict[str, Any]:
    """Where the file stands for this agent."""
    own = db.current_actor().account_id
    return {
        "at_risk": states.is_at_risk(file, calendar.civil_day(db.now(), file.establishment.tz)),
        "decidable": file.state in _DECIDABLE,
        "ready": states.READY,
        "mine": file.agent_id is not None and file.agent_id == own,
        "held": file.agent_id not in (None, own) and file.state == "in_review",
    }


def _doubts(file: Preadmission, answers: Mapping[str, Answers], pieces: Sequence[Piece]) -> dict[str, Any]:
    """What does not agree, and files that may be the same one."""
    facts = Facts(file.stay_kind, file.planned_on, file.patient.birth_on, answers)
    similar, own = office.similar(file), db.current_actor().account_id
    return {
        "checks": office.checked(file, facts, pieces, len(similar)),
        "similar": [(each, not each.file.confidential or each.file.agent_id == own) for each in similar],
    }


def _forms(file: Preadmission, sources: Mapping[str, Description]) -> dict[str, Any]:
    """The forms of the page, as it is read now."""
    read = {"version": str(file.version), "at": str(db.now().timestamp())}
    return {
        "form": None,
        "note": NoteForm(formdata=None, prefix="note", **read),
        "card": _card_form(sources, read),
        "decision": DecisionForm(formdata=None, **read),
        "refusal": RefusePieceForm(formdata=None, prefix="refuse", **read),
        "acceptance": AcceptPieceForm(formdata=None, prefix="accept", **read),
        "whole_nir": "",
        "since": (),
        "conflict": False,
    }


def _card_form(sources: Mapping[str, Description], blank: dict[str, str]) -> CardForm:
    """What was read before; never what FranceConnect says, or nobody would look at the card."""
    card = sources.get("card")
    if card is None:
        return CardForm(formdata=None, prefix="card", **blank)
    read = {"birth_name": card.birth_name, "used_name": card.used_name, "birth_on": card.birth_on, "sex": card.sex}
    return CardForm(formdata=None, prefix="card", first_names=", ".join(card.first_names), **read, **blank)


def _screen(pieces: Sequence[Piece]) -> Screen:
    """What the address asks to look at: a page, or the first page of a piece; else what is to judge first."""
    places = [
        (piece, page, sheet)
        for piece in pieces
        for page in piece.pages
        for sheet in range(1, (page.file.sheets if page.file.shown_type == "application/pdf" else 1) + 1)
    ]
    page_id, piece_id = request.values.get("vue", type=UUID), request.values.get("piece", type=UUID)
    sheet, zoom = request.values.get("feuille", 1, type=int), request.values.get("zoom", 100, type=int)
    zoom = zoom if zoom in ZOOMS else 100
    asked = [place for place in places if page_id in (place[1].id, place[1].file_id) and place[2] == sheet]
    asked += [place for place in places if place[0].id == piece_id]
    if asked:
        return Screen(*asked[0], zoom, places)
    wanted = next((piece for piece in pieces if piece.id == piece_id), None)
    if wanted is not None:
        return Screen(wanted, None, 1, zoom, places)
    to_judge = [place for place in places if place[0].state in ("deposited", "scanning")] or places
    if to_judge:
        return Screen(*to_judge[0], zoom, places)
    return Screen(pieces[0] if pieces else None, None, 1, zoom, places)
