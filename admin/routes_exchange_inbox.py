"""The inbox of the units: threads by what they wait for, and what is done to several of them at once."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin.routes_exchanges import exchanges_pages
from auth import guards
from portal import db
from portal.db import session
from services.documents import queries as documents
from services.documents import wording
from services.documents.actions import RIGHT
from services.documents.exchanges import actions, inbox, queries
from services.documents.exchanges.inbox import GROUPS, Wanted
from services.documents.exchanges.models import Exchange
from services.documents.forms import SearchForm, identifier
from services.documents.mailboxes import oppositions
from services.documents.states import NotPossibleNow

_A_BATCH: Final = 100


@exchanges_pages.get("")
def exchanges() -> str:
    """The threads of my hospitals, by what they wait for."""
    mine, wanted = guards.establishments(RIGHT), _wanted()
    return render_template(
        "admin/documents/exchanges.html",
        view="exchanges",
        counts=documents.counts_at(mine),
        wanted=wanted,
        kept=_kept(wanted),
        inbox=inbox.of(mine, wanted, _me()),
        units=queries.units_at(mine),
        colleagues=inbox.colleagues(mine),
        me=_me(),
        now=db.now(),
        words=wording,
    )


def _wanted() -> Wanted:
    asked = request.args
    group = asked.get("groupe", "to_open")
    return Wanted(
        group=group if group in GROUPS else "to_open",
        unit_id=identifier(asked.get("unite")),
        kind=asked.get("avec", "") if asked.get("avec") in ("patient", "professional") else "",
        urgent=asked.get("urgent") == "1",
        reference=asked.get("q", "")[:20],
        page=max(1, min(asked.get("page", 1, type=int), 1000)),
    )


def _kept(wanted: Wanted) -> dict[str, str]:
    """What the addresses of the page carry along."""
    said = {
        "groupe": wanted.group if wanted.group != "to_open" else "",
        "unite": str(wanted.unit_id or ""),
        "avec": wanted.kind,
        "urgent": "1" if wanted.urgent else "",
        "q": wanted.reference,
    }
    return {name: value for name, value in said.items() if value}


def _me() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "agents have accounts"
    return account_id


# -- several at once -----------------------------------------------------------------------------------------------


@exchanges_pages.post("/lot")
def batch() -> Response:
    """Do one thing to each thread ticked; those whose state does not allow it any more are left alone, and told."""
    act = _GESTURES.get(request.form.get("gesture", "")) or abort(400)
    chosen = [each for each in map(identifier, request.form.getlist("exchanges")) if each]
    if len(chosen) > _A_BATCH:
        abort(413)
    found = inbox.some_at(guards.establishments(RIGHT), chosen)
    done = sum(_do(act, exchange) for exchange in found)
    if done:
        flash(ngettext("%(num)d exchange changed.", "%(num)d exchanges changed.", done), "success")
    if done < len(chosen):
        left = len(chosen) - done
        flash(ngettext("%(num)d was left as it was.", "%(num)d were left as they were.", left), "warning")
    if not chosen:
        flash(_("Tick the exchanges first."), "warning")
    return _back()


def _do(act: Callable[[Exchange], None], exchange: Exchange) -> bool:
    """One thread of a batch, in a savepoint of its own."""
    try:
        with session.begin_nested():
            act(exchange)
    except NotPossibleNow:
        return False
    return True


def _back() -> Response:
    """The page of the inbox where the gesture was made; its filters come with the form."""
    kept: dict[str, Any] = {
        name: value for name in ("groupe", "unite", "avec", "urgent") if (value := request.form.get(name, ""))
    }
    return redirect(url_for(".exchanges", **kept), 303)


def _give(exchange: Exchange) -> None:
    agent_id = identifier(request.form.get("agent"))
    name = inbox.colleagues([exchange.establishment_id]).get(agent_id) if agent_id else None
    if agent_id is None or name is None:
        raise NotPossibleNow(exchange.state)  # an agent of another hospital could not open it
    actions.assign(exchange, agent_id, name)


_GESTURES: Final[Mapping[str, Callable[[Exchange], None]]] = {
    "take": actions.take,
    "give": _give,
    "close": actions.close,
    "urgent": lambda exchange: actions.prioritise(exchange, "urgent"),
    "normal": lambda exchange: actions.prioritise(exchange, "normal"),
}


# -- one thread ----------------------------------------------------------------------------------------------------


@exchanges_pages.post("/<uuid:exchange_id>/unite")
def hand_to_unit(exchange_id: UUID) -> Response:
    """Say which unit answers a thread."""
    thread = _one(exchange_id)
    unit_id = identifier(request.form.get("unit_id"))
    unit = next((each for each in queries.units_at([thread.establishment_id]) if each.id == unit_id), None)
    actions.hand_to_unit(thread, unit or abort(400))
    flash(_("The exchange is now for %(unit)s.", unit=unit.name if unit else ""), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


@exchanges_pages.post("/<uuid:exchange_id>/opposition")
def oppose(exchange_id: UUID) -> Response:
    """Write down that the patient of a thread does not want secure mails about them, or wants them again."""
    thread = _one(exchange_id)
    audience = request.form.get("audience", "")
    if thread.about_id is None or audience not in ("professional", "patient"):
        abort(400)
    standing = {each.audience: each for each in oppositions.standing(thread.about_id, thread.establishment_id)}
    if audience in standing:
        oppositions.withdraw(standing[audience])
        flash(_("Written down: the patient no longer opposes it."), "success")
    else:
        oppositions.oppose(thread.about_id, thread.establishment_id, audience)
        flash(_("Written down: nothing more leaves about this patient."), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


@exchanges_pages.route("/<uuid:exchange_id>/patient", methods=["GET", "POST"])
def recognise(exchange_id: UUID) -> str | Response:
    """Find the hospital's patient whom a thread is about (a post: names stay out of addresses), and say so."""
    thread = _one(exchange_id)
    search = SearchForm(request.form)
    found = search.find(thread.establishment_id)
    if chosen := identifier(request.form.get("patient_id")):
        known = documents.patient_at(thread.establishment_id, chosen) or abort(404)
        actions.recognise(thread, known.patient.id)
        flash(_("The exchange is now about this patient."), "success")
        return redirect(url_for(".show", exchange_id=thread.id), 303)
    return render_template("admin/documents/recognise.html", exchange=thread, search=search, found=found)


def _one(exchange_id: UUID) -> Exchange:
    return queries.exchange_at(guards.establishments(RIGHT), exchange_id) or abort(404)
