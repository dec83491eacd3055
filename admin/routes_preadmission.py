"""The admissions office's tray: files by day of stay and risk, the search, the next one to treat, several at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from portal import audit, calendar, db
from portal.db import session
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.preadmission import actions, queries, states, wording
from services.preadmission.actions import RIGHT, ChangedMeanwhile, HeldByAnother, NothingToAskAgain, PiecesNotSettled
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.models import STATES, Preadmission
from services.preadmission.office import actions as office_actions
from services.preadmission.office import queries as office
from services.preadmission.office import wording as office_words
from services.preadmission.queries import Row, TrayFilter
from services.preadmission.states import TransitionRefused

preadmission_pages = guards.staff(
    Blueprint("admin_preadmission", __name__, url_prefix="/admin/pre-admissions", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]
_A_BATCH = 50


def here() -> frozenset[UUID]:
    """The hospitals whose files the agent treats."""
    return guards.establishments(RIGHT)


@preadmission_pages.get("")
def tray() -> str:
    """The files of my hospitals: those that wait for us first."""
    wanted = asked()
    return _tray_page(wanted, queries.tray(here(), wanted))


def _tray_page(wanted: TrayFilter, found: queries.Tray, results: Sequence["Result"] = ()) -> str:
    ids = [row.file.id for row in found.rows]
    units = queries.units_of(here())
    return render_template(
        "admin/preadmission/tray.html",
        tray=found,
        wanted=wanted,
        kept=address_of(wanted),
        pieces=piece_queries.of_folders(ids),
        present=office.present(ids),
        units=units,
        sites=list({unit.site.id: unit.site for unit in units}.values()),
        colleagues=office.colleagues(here()),
        page_size=queries.PAGE_SIZE,
        most_counted=queries.MOST_COUNTED,
        states=states,
        results=results,
        own_id=db.current_actor().account_id,
        group_states=queries.GROUPS[wanted.group],
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"words": wording, "piece_words": piece_wording, "office_words": office_words}


@preadmission_pages.post("/recherche")
def search() -> Answer:
    """By reference, or by the beginning of a name: a post, so that names stay out of addresses and of logs."""
    typed = request.form.get("q", "").strip()[:100]
    if (found := queries.by_reference(here(), typed)) is not None:
        return redirect(url_for(".show", preadmission_id=found), 303)
    rows = queries.search(here(), typed)
    for establishment_id in here():
        audit.record("preadmission.searched", establishment_id=establishment_id, object_kind="preadmission")
    pieces = piece_queries.of_folders([row.file.id for row in rows])
    return render_template("admin/preadmission/search.html", typed=typed, rows=rows, pieces=pieces, **_words())


@preadmission_pages.post("/suivant")
def next_one() -> Response:
    """The next file to treat, in the order of the tray: nobody else's, and on nobody else's screen."""
    current = request.form.get("depuis", type=UUID)
    left = queries.one_at(here(), current) if current else None
    if left is not None:
        office_actions.leave(left.id)
    found = queries.next_to_treat(here(), left, office.busy(here()))
    if found is None:
        flash(_("Nothing is left to treat: every file is answered, or in a colleague’s hands."), "success")
        return redirect(url_for(".tray"), 303)
    return redirect(url_for(".show", preadmission_id=found), 303)


# -- several files at once -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What became of one file of a batch."""

    file: Preadmission
    named: bool
    text: str
    done: bool


@preadmission_pages.post("/lot")
def batch() -> Answer:
    """Do one thing to each file ticked, each whole or not at all; the page says what became of each."""
    gesture = request.form.get("gesture", "")
    if gesture not in _GESTURES:
        abort(400)
    chosen = [each for each in (_uuid(text) for text in request.form.getlist("files")) if each is not None]
    if len(chosen) > _A_BATCH:
        abort(413)
    if not chosen:
        flash(_("Tick the files first."), "warning")
        return redirect(_back(), 303)
    where = queries.places(here())
    results = [_do(gesture, queries.row_of(file, where)) for file in queries.some_at(here(), chosen)]
    return render_template("admin/preadmission/batch.html", results=results, back=_back(), **_words())


def _do(gesture: str, row: Row) -> Result:
    """One file of a batch, in a savepoint of its own."""
    file, (act, done) = row.file, _GESTURES[gesture]
    version = request.form.get(f"version-{file.id}", type=int)
    try:
        with session.begin_nested():
            act(file, version)
    except HeldByAnother as held:
        return Result(file, row.named, _("Left alone: %(name)s has it.", name=held.name), False)
    except ChangedMeanwhile:
        return Result(file, row.named, _("Left alone: somebody acted on it meanwhile. Open it to see."), False)
    except PiecesNotSettled:
        return Result(file, row.named, _("Not accepted: a document is not judged yet."), False)
    except NothingToAskAgain:
        return Result(file, row.named, _("Nothing is missing: nothing was asked."), False)
    except TransitionRefused:
        return Result(file, row.named, _("Not possible in its present state."), False)
    return Result(file, row.named, str(done()), True)


def _assign(file: Preadmission, version: int | None) -> None:
    account_id = _uuid(request.form.get("agent", ""))
    colleagues = office.colleagues(here())
    if account_id is None or account_id not in colleagues:
        abort(400)
    if account_id not in office.colleagues([file.establishment_id]):
        raise TransitionRefused(file.state, "assigned")  # an agent of another hospital could not open it
    office_actions.assign(file, account_id, colleagues[account_id], version)


def _take_mine(file: Preadmission, version: int | None) -> None:
    actor = db.current_actor()
    assert actor.account_id is not None, "agents have accounts"
    office_actions.assign(file, actor.account_id, actor.name, version)


def _ask(file: Preadmission, version: int | None) -> None:
    today = calendar.civil_day(db.now(), file.establishment.tz)
    actions.ask_again(file, states.usual_deadline(file, today), version=version)


def _validate(file: Preadmission, version: int | None) -> None:
    actions.validate(file, version)


_GESTURES: Mapping[str, tuple[Callable[[Preadmission, int | None], None], Callable[[], Any]]] = {
    "take": (_take_mine, lambda: _("Yours now.")),
    "assign": (_assign, lambda: _("Given.")),
    "ask": (_ask, lambda: _("The patient has been asked for what is missing.")),
    "validate": (_validate, lambda: _("Accepted. The patient has been told.")),
}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _back() -> str:
    """The tray as it was, from what the form kept of its address."""
    pairs = [item.partition("=") for item in request.form.get("tray", "").split("&")]
    given: MultiDict[str, str] = MultiDict([(name, value) for name, _equals, value in pairs])
    return url_for(".tray", **address_of(_filter(given)))


# -- what the address asks for -------------------------------------------------------------------------------------


def asked() -> TrayFilter:
    """What the address asks for; anything it should not say is ignored."""
    return _filter(request.args)


def _filter(given: MultiDict[str, str]) -> TrayFilter:
    group, kind, state = given.get("groupe", ""), given.get("nature", ""), given.get("etat", "")
    return TrayFilter(
        group=group if group in queries.GROUPS else "to_process",
        site_id=_uuid(given.get("site", "")),
        unit_id=_uuid(given.get("unite", "")),
        stay_kind=kind if kind in STAY_KINDS else "",
        state=state if state in STATES else "",
        agent_id=_uuid(given.get("agent", "")),
        first=_day(given.get("du", "")),
        last=_day(given.get("au", "")),
        at_risk=given.get("urgent") == "1",
        page=min(max(given.get("page", 1, type=int), 1), 10_000),
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def address_of(wanted: TrayFilter, **other: Any) -> dict[str, Any]:
    """The arguments of the tray's address that ask for this."""
    wanted = replace(wanted, **other)
    said = {
        "groupe": wanted.group if wanted.group != "to_process" else None,
        "site": wanted.site_id, "unite": wanted.unit_id, "nature": wanted.stay_kind or None,
        "etat": wanted.state or None, "agent": wanted.agent_id, "du": wanted.first, "au": wanted.last,
        "urgent": 1 if wanted.at_risk else None, "page": wanted.page if wanted.page > 1 else None,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}
