"""The patient's deposits: saying what it is, its pages, its receipt."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import calendar, db
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from portal.web import branding
from portal.web.downloads import shown_response
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.documents.deposits import actions, queries, wording
from services.documents.deposits.actions import Closed
from services.documents.deposits.forms import BeginForm
from services.documents.deposits.queries import Deposited
from services.documents.exchanges import queries as correspondence
from services.documents.routes_patient import patient_pages
from services.documents.shelf import wording as shelf_wording
from services.pieces import actions as piece_actions
from services.pieces import queries as pieces
from services.pieces import wording as piece_wording
from services.pieces.actions import NoPage, TooManyFiles
from services.pieces.forms import DepositForm, PageForm, PageLinks
from services.pieces.models import PiecePage
from services.pieces.states import DEPOSITABLE, PieceTransitionRefused

Answer = str | Response | tuple[str, int]
_DEPOSIT = "/envois/<uuid:deposit_id>"


@patient_pages.route("/envoyer", methods=["GET", "POST"])
@limiter.limit("60 per hour", methods=["POST"])
@once
def begin_deposit() -> Answer:
    """What I want to send, and to whom; the pages come on the next page."""
    held = held_forms.take()
    form, units = BeginForm(formdata=held) if held else BeginForm(), correspondence.open_units()
    form.offer(units)
    if not held and form.validate_on_submit():
        place, unit = form.chosen(units)
        deposit = actions.begin(guards.patient_id(), place, unit, form.wish)
        return redirect(url_for(".deposit_pages", deposit_id=deposit.id), 303)
    page = render_template("deposits/begin.html", form=form, units=units)
    return (page, 422) if form.errors else page


@patient_pages.get(_DEPOSIT)
def deposit(deposit_id: UUID) -> str:
    """One deposit: what it is, what became of it, its pages; the receipt once it is sent."""
    found = _mine(deposit_id)
    return render_template(
        "deposits/show.html",
        found=found,
        deposit=found.deposit,
        piece=found.piece,
        changes=pieces.history(found.piece.id),
        may_send=_takes_pages(found),
        links=PageLinks(_address(found)),
        today=_today(found),
        words=wording,
        kinds=shelf_wording.ONE,
        piece_words=piece_wording,
    )


@patient_pages.route(f"{_DEPOSIT}/pages", methods=["GET", "POST"])
def deposit_pages(deposit_id: UUID) -> Answer:
    """The pages of a deposit. Uploads are received before anything is written, and survive a refused form."""
    found = _mine(deposit_id)
    if not _takes_pages(found):
        return redirect(url_for(".deposit", deposit_id=deposit_id), 303)
    form = DepositForm()
    kept: Sequence[StoredFile] = ()
    if form.is_submitted():
        valid = form.validate()
        kept = form.take_uploads(found.piece)
        if valid and not form.errors:
            answer: Response = _send(deposit_id=deposit_id, form=form, kept=kept)
            return answer
    address = _address(found)
    page = render_template(
        "deposits/pages.html",
        found=found,
        deposit=found.deposit,
        piece=found.piece,
        form=form,
        kept=kept,
        links=PageLinks(address, lambda page: address(page, None)),
        piece_words=piece_wording,
        may_give_up=found.deposit.sent_at is None and not found.deposit.is_asked,
    )
    return page, form.status


@once
def _send(deposit_id: UUID, form: DepositForm, kept: Sequence[StoredFile]) -> Response:
    found = _mine(deposit_id)

    def act() -> None:
        actions.put_pages(found, [each.id for each in kept], rotation=form.rotation)
        if not form.more.data:
            actions.send(found)

    return _do(found, act, _("Your document has arrived."), stay=form.more.data)


@patient_pages.get(f"{_DEPOSIT}/pages/<uuid:page_id>")
def deposit_page(deposit_id: UUID, page_id: UUID) -> Response:
    """One page of what I sent; `feuille`: that sheet of a PDF, as an image."""
    page = pieces.page_of(_mine(deposit_id).piece, page_id) or abort(404)
    try:
        return shown_response(piece_actions.hand_over(page, sheet=request.args.get("feuille", type=int)))
    except FileNotReadable:
        abort(404)


@patient_pages.post(f"{_DEPOSIT}/pages/<uuid:page_id>")
def change_deposit_page(deposit_id: UUID, page_id: UUID) -> Response:
    """Turn a page, put it earlier, take it away."""
    found = _mine(deposit_id)
    page = pieces.page_of(found.piece, page_id) or abort(404)
    form = PageForm()
    if not form.validate():
        abort(400)
    return _do(found, lambda: actions.arrange(found, page, form.gesture.data or ""), "", stay=True)


@patient_pages.post(f"{_DEPOSIT}/abandonner")
def give_up_deposit(deposit_id: UUID) -> Response:
    """Throw away what I began and did not send."""
    try:
        actions.give_up(_mine(deposit_id))
        flash(_("It is thrown away: nobody has seen it."), "success")
    except Closed:
        flash(_("It was sent already: it cannot be thrown away."), "warning")
    return redirect(url_for(".shelf"), 303)


def _do(found: Deposited, act: Callable[[], None], done: str, *, stay: bool) -> Response:
    """Do it whole or not at all, and say so. stay: come back to the pages."""
    here = redirect(url_for(".deposit_pages", deposit_id=found.deposit.id), 303)
    try:
        with session.begin_nested():
            act()
    except TooManyFiles as many:
        flash(_("This document takes %(most)d pages at most: remove one first.", most=many.limit), "warning")
        return here
    except NoPage:
        flash(_("Remove the page with a virus, or choose a file, then send the document."), "warning")
        return here
    except (Closed, PieceTransitionRefused, FileNotReadable):
        flash(_("This document could not be changed: the hospital has dealt with it in the meantime."), "warning")
        return redirect(url_for(".deposit", deposit_id=found.deposit.id), 303)
    if stay:
        return here
    flash(done, "success")
    return redirect(url_for(".deposit", deposit_id=found.deposit.id), 303)


def _takes_pages(found: Deposited) -> bool:
    return found.deposit.closed_at is None and found.piece.state in DEPOSITABLE


def _address(found: Deposited) -> Callable[[PiecePage, int | None], str]:
    def address(page: PiecePage, sheet: int | None = None) -> str:
        return url_for(".deposit_page", deposit_id=found.deposit.id, page_id=page.id, feuille=sheet)

    return address


def _today(found: Deposited) -> object:
    return calendar.civil_day(db.now(), found.deposit.establishment.tz)


def _mine(deposit_id: UUID) -> Deposited:
    found = queries.one_of_patient(guards.patient_id(), deposit_id) or abort(404)
    branding.wear_of(found.deposit.establishment_id)
    return found
