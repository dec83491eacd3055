"""What became of each mail that left by MSSanté, and the mails that came and became no message."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.kpi import GROUP_ZONE
from portal.web.repeated_posts import once
from services.documents import queries as documents
from services.documents.mailboxes import actions, queries, wording
from services.documents.mailboxes.forms import ElsewhereForm, FilterForm
from services.documents.mailboxes.queries import Sent, Wanted
from services.documents.models import RIGHT
from services.documents.mss import BadAddress
from services.documents.states import NotPossibleNow

transmission_pages = guards.staff(
    Blueprint(
        "admin_transmissions", __name__, url_prefix="/admin/documents/transmissions", template_folder="templates"
    ),
    right=RIGHT,
)
_PARIS = ZoneInfo(GROUP_ZONE)
Answer = str | Response | tuple[str, int]


@transmission_pages.get("")
def transmissions() -> str:
    """Every mail that left or tries to: what needs somebody first."""
    held = guards.establishments(RIGHT)
    form = FilterForm(request.args)
    form.offer(queries.open_boxes(held))
    page = request.args.get("page", 1, int)
    found, more = queries.transmissions_at(held, _wanted(form, max(1, min(page, 1000))))
    return render_template(
        "admin/transmissions/list.html",
        found=found, more=more, page=page, form=form, kept=_kept(form), words=wording,
        desk=documents.counts_at(held),
    )  # fmt: skip


def _wanted(form: FilterForm, page: int) -> Wanted:
    """A day or a box that is none filters nothing."""
    form.validate()
    show = form.etat.data if not form.etat.errors else "all"
    return Wanted(show or "all", _uuid(form.boite.data), _start(form.du.data), _start(form.au.data, 1), page)


def _start(day: date | None, after: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=after), time.min, _PARIS) if day else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _kept(form: FilterForm) -> dict[str, str]:
    """What was asked, for the links to other pages."""
    return {name: request.args[name] for name in ("etat", "boite", "du", "au") if request.args.get(name)}


@transmission_pages.get("/<uuid:transmission_id>")
def show(transmission_id: UUID) -> str:
    """One mail, its whole history, what can be done."""
    return _page(_one(transmission_id), ElsewhereForm(formdata=None))


def _page(sent: Sent, form: ElsewhereForm) -> str:
    return render_template("admin/transmissions/transmission.html", sent=sent, form=form, words=wording)


@transmission_pages.post("/<uuid:transmission_id>/renvoyer")
def send_again(transmission_id: UUID) -> Response:
    """Let it leave again."""
    sent = _one(transmission_id)
    return _done(sent, lambda: actions.send_again(sent.transmission), _("It leaves again."))


@transmission_pages.post("/<uuid:transmission_id>/papier")
def on_paper(transmission_id: UUID) -> Response:
    """Write down that it goes by post."""
    sent = _one(transmission_id)
    return _done(sent, lambda: actions.send_on_paper(sent.transmission), _("Written down: it goes on paper."))


@transmission_pages.post("/<uuid:transmission_id>/autre-adresse")
@once
def elsewhere(transmission_id: UUID) -> Answer:
    """Send it to another address of the same correspondent."""
    sent = _one(transmission_id)
    form = ElsewhereForm()
    if form.validate():
        try:
            again = actions.send_elsewhere(sent.transmission, form.address.data or "")
        except BadAddress:
            form.address.errors = [_("This is not the address of a box.")]
        except NotPossibleNow:
            flash(_("A colleague has already dealt with this mail."), "warning")
            return redirect(url_for(".show", transmission_id=transmission_id), 303)
        else:
            flash(_("It leaves for the other address."), "success")
            return redirect(url_for(".show", transmission_id=again.id), 303)
    return _page(sent, form), 422


def _done(sent: Sent, change: Callable[[], None], words: str) -> Response:
    try:
        change()
        flash(words, "success")
    except NotPossibleNow:
        flash(_("A colleague has already dealt with this mail."), "warning")
    return redirect(url_for(".show", transmission_id=sent.transmission.id), 303)


# -- mails that came and became no message -------------------------------------------------------------------------


@transmission_pages.get("/recus")
def received() -> str:
    """Mails that were put aside, or that changed nothing."""
    show = "noted" if request.args.get("etat") == "noted" else "quarantined"
    page = max(1, min(request.args.get("page", 1, int), 1000))
    held = guards.establishments(RIGHT)
    found, more = queries.received_at(held, show, page)
    return render_template(
        "admin/transmissions/received.html",
        found=found, more=more, page=page, show=show, words=wording, now=db.now(), desk=documents.counts_at(held),
    )  # fmt: skip


@transmission_pages.post("/recus/<uuid:received_id>/relire")
def read_again(received_id: UUID) -> Response:
    """Read it again from its bytes."""
    return _decided(received_id, actions.ask_reading, _("It is read again: look at the messages in a minute."))


@transmission_pages.post("/recus/<uuid:received_id>/ecarter")
def discard(received_id: UUID) -> Response:
    """Nothing is to be done with it."""
    return _decided(received_id, actions.discard, _("It is set aside for good."))


def _decided(received_id: UUID, decision: Callable[..., None], words: str) -> Response:
    found = queries.received_one(guards.establishments(RIGHT), received_id) or abort(404)
    try:
        decision(found)
        flash(words, "success")
    except NotPossibleNow:
        flash(_("A colleague has already dealt with this mail."), "warning")
    return redirect(url_for(".received"), 303)


def _one(transmission_id: UUID) -> Sent:
    return queries.transmission_at(guards.establishments(RIGHT), transmission_id) or abort(404)
