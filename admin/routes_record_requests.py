"""The desks' side of requests: their trays, one request, and what is decided of it.

Two desks, one set of pages: `documents` answers for files and certificates, `administration` for complaints and thanks
(kinds.DESKS says why). A desk never sees the other's requests, here or in the database.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin import forms_record_requests as forms
from auth import guards, held_forms
from portal import audit, db, establishments
from portal.establishments import Establishment
from portal.files import FileNotReadable
from portal.web.downloads import file_response, made_response
from portal.web.repeated_posts import once
from portal.web.spreadsheets import csv_response
from services.documents import wording as room_words
from services.documents.requests import actions, queries, settings, sheet, wording
from services.documents.requests.actions import ChangedMeanwhile, NothingJoined, NotThere, StillReflecting
from services.documents.requests.kinds import ALL
from services.documents.requests.models import RecordRequest
from services.documents.requests.queries import Desk, Wanted
from services.documents.requests.states import NotAllowed

pages = guards.staff(
    Blueprint("admin_record_requests", __name__, url_prefix="/admin/documents/demandes", template_folder="templates"),
    right="documents",
)
complaint_pages = guards.staff(
    Blueprint("admin_user_requests", __name__, url_prefix="/admin/usagers/demandes", template_folder="templates"),
    right="administration",
)
DESKS = {pages.name: "documents", complaint_pages.name: "administration"}
Answer = str | Response | tuple[str, int]
_LAST_PAGE = 10_000


def both(rule: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The same page for both desks."""

    def add(view: Callable[..., Any]) -> Callable[..., Any]:
        for desk_pages in (pages, complaint_pages):
            desk_pages.add_url_rule(rule, view_func=view, **options)
        return view

    return add


def desk() -> Desk:
    """Whose requests these pages are about."""
    right = DESKS[request.blueprint or ""]
    return Desk(right, guards.establishments(right))


def hospitals(of: Desk) -> list[Establishment]:
    return [place for place in establishments.establishments() if place.id in of.places]


def shown(name: str, **facts: Any) -> str:
    """A page of a desk."""
    mine = facts.pop("mine", None) or desk()
    return render_template(
        f"admin/record_requests/{name}.html", desk=mine, words=wording, room_words=room_words, **facts
    )


# -- the tray ----------------------------------------------------------------------------------------------------


@both("")
def tray() -> str:
    """Filters by address: groupe, nature, agent, delai, hopital, page. The most urgent first."""
    mine, wanted = desk(), _wanted()
    found = queries.tray(mine, wanted)
    return shown(
        "tray",
        mine=mine,
        requests=found[: queries.PAGE_SIZE],
        has_next=len(found) > queries.PAGE_SIZE,
        wanted=wanted,
        kept=_kept(wanted),
        counts=queries.counts(mine),
        kinds=[kind for kind in ALL if kind.desk == mine.right],
        hospitals=hospitals(mine),
    )


def _wanted() -> Wanted:
    told = request.args
    group, kind = told.get("groupe", "open"), told.get("nature", "")
    return Wanted(
        group=group if group in queries.GROUPS else "open",
        kind=kind if kind in wording.KINDS else "",
        agent=told.get("agent", "") if told.get("agent") in ("mine", "none") else "",
        urgency=told.get("delai", "") if told.get("delai") in ("late", "soon") else "",
        place=told.get("hopital", type=UUID),
        page=min(max(told.get("page", 1, type=int), 1), _LAST_PAGE),
    )


def _kept(wanted: Wanted) -> dict[str, str]:
    """The filters, as an address says them."""
    place = str(wanted.place) if wanted.place else ""
    said = {"nature": wanted.kind, "agent": wanted.agent, "delai": wanted.urgency, "hopital": place}
    return {name: value for name, value in said.items() if value}


@both("/recherche", methods=["POST"])
def search() -> Response:
    """By reference alone; whoever asks on the phone reads it out."""
    found = queries.by_reference(desk(), request.form.get("q", "")[:40])
    if found is None:
        flash(_("No request of your hospitals has this reference."), "warning")
        return redirect(url_for(".tray"), 303)
    return redirect(url_for(".show", request_id=found), 303)


@both("/suivante", methods=["POST"])
def next_one() -> Response:
    """The most urgent request that nobody else has."""
    found = queries.next_to_treat(desk(), request.form.get("depuis", type=UUID))
    if found is None:
        flash(_("Nothing is left to treat: every request is answered, or in a colleague’s hands."), "success")
        return redirect(url_for(".tray"), 303)
    return redirect(url_for(".show", request_id=found), 303)


@both("/chiffres.csv")
def figures() -> Response:
    """A year of counts by month, hospital and kind: nobody is in it."""
    mine = desk()
    for place in mine.places:
        audit.record("record_requests.counted", establishment_id=place, object_kind="establishment", object_id=place)
    headers = [_("Hospital"), _("Month"), _("Request"), _("Sent"), _("Answered"), _("Refused"), _("Cancelled"),
               _("Late"), _("Median days")]  # fmt: skip
    lines = queries.figures(mine, db.now() - timedelta(days=366))
    rows = [
        (each.place, f"{each.month:%Y-%m}", str(wording.KINDS[each.kind]), each.sent, each.answered, each.refused,
         each.cancelled, each.late, "" if each.median_days is None else f"{each.median_days:.1f}")
        for each in lines
    ]  # fmt: skip
    return csv_response("demandes", headers, rows)


# -- one request -------------------------------------------------------------------------------------------------


@both("/<uuid:request_id>")
def show(request_id: UUID) -> Answer:
    """The request; `modele` fills the message with what agents start from."""
    found = opened(request_id)
    held = held_forms.take()
    form = forms.MessageForm(formdata=held) if held else forms.MessageForm(MultiDict(), text=_start())
    if not held:
        form.version.data = str(found.version)
    return request_page(found, form)


def opened(request_id: UUID) -> RecordRequest:
    """The request of this desk; reading it is written down."""
    try:
        return actions.open_request(desk(), request_id)
    except NotThere:
        abort(404)


def _start() -> str:
    wanted = request.args.get("modele", type=UUID)
    found = queries.answer_at(desk(), wanted) if wanted else None
    return found.body if found else ""


def request_page(found: RecordRequest, form: Any, *, changed: bool = False) -> str:
    mine = desk()
    return shown(
        "show",
        mine=mine,
        asked=found,
        form=form,
        changed=changed,
        messages=queries.messages(found.id),
        changes=queries.changes(found.id),
        joined=queries.files_of(found.id),
        certificates=queries.certificates(found.id) if found.definition.certified else (),
        answers=queries.answers(mine, found.kind, found.establishment_id),
        known=queries.is_known_at(found.patient_id, found.establishment_id),
        number=forms.NumberForm(MultiDict(), number=found.hospital_number, version=str(found.version)),
        pass_on=forms.PassOnForm(MultiDict(), version=str(found.version)),
        own_id=db.current_actor().account_id,
        choices=settings.of(found.establishment_id),
    )


@both("/<uuid:request_id>/fichiers/<uuid:file_id>")
def file(request_id: UUID, file_id: UUID) -> Response:
    found = queries.one_at(desk(), request_id) or abort(404)
    joined = queries.file_of(found.id, file_id) or abort(404)
    try:
        response = file_response(joined.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over(found, joined)
    return response


@both("/<uuid:request_id>/fiche.pdf")
def sheet_pdf(request_id: UUID) -> Response:
    """The sheet for the archives."""
    found = queries.one_at(desk(), request_id) or abort(404)
    actions.hand_over(found, None, "sheet")
    changes, said = queries.changes(found.id), queries.messages(found.id)
    data = sheet.printed(found, changes, said, queries.files_of(found.id), db.now())
    return made_response(data, f"{_('request')}-{found.reference}.pdf")


# -- decisions ---------------------------------------------------------------------------------------------------


def do(request_id: UUID, form: Any, act: Callable[[], object], said: str) -> Answer:
    """One decision: done, or told why it was not and nothing typed is lost."""
    try:
        act()
    except NotThere:
        abort(404)
    except NotAllowed:
        flash(_("This request is not in a state for that any more: nothing of yours was done."), "warning")
    except StillReflecting:
        flash(_("The 48 hours of reflection are not over: nothing is handed over before."), "warning")
    except NothingJoined:
        flash(_("Join a file, or write the answer."), "warning")
    except FileNotReadable:
        flash(_("A file is still being checked by the antivirus: try again in a few minutes."), "warning")
    except ChangedMeanwhile:
        found = opened(request_id)
        form = form if isinstance(form, forms.MessageForm) else forms.MessageForm(MultiDict())
        form.version.data = str(found.version)
        return request_page(found, form, changed=True), 409
    else:
        flash(said, "success")
    return redirect(url_for(".show", request_id=request_id), 303)


@both("/<uuid:request_id>/ecrire", methods=["POST"])
@once
def write(request_id: UUID) -> Answer:
    """Words to the applicant: a message, or the answer itself."""
    form, mine = forms.MessageForm(), desk()
    if not form.validate():
        return request_page(opened(request_id), form), 422
    text = form.text.data or ""
    act = actions.answer_in_words if form.answers.data else actions.write
    return do(request_id, form, lambda: act(mine, request_id, text, version=form.seen), _("Your message is sent."))


_GESTURES = {
    "prendre": actions.take,
    "rendre": actions.assign,
    "complete": actions.complete,
}


@both("/<uuid:request_id>/<any(prendre, rendre, complete):gesture>", methods=["POST"])
def gesture(request_id: UUID, gesture: str) -> Answer:
    """Take it, leave it to colleagues, or note that it is complete."""
    form, mine = forms.Decision(), desk()
    return do(request_id, form, lambda: _GESTURES[gesture](mine, request_id, version=form.seen), _("Done."))


@both("/<uuid:request_id>/anciennete/<any(ancienne, recente):age>", methods=["POST"])
def age(request_id: UUID, age: str) -> Answer:
    form, mine, is_old = forms.Decision(), desk(), age == "ancienne"
    act = actions.change_age
    return do(
        request_id, form, lambda: act(mine, request_id, is_old=is_old, version=form.seen), _("The date is changed.")
    )


@both("/<uuid:request_id>/numero", methods=["POST"])
def number(request_id: UUID) -> Answer:
    form, mine = forms.NumberForm(), desk()
    text = "" if form.number.errors or not form.validate() else form.number.data or ""
    return do(
        request_id, form, lambda: actions.note_number(mine, request_id, text, version=form.seen), _("Number noted.")
    )


@both("/<uuid:request_id>/transmettre", methods=["POST"])
@once
def pass_on(request_id: UUID) -> Answer:
    """Thanks that reached their team."""
    form, mine = forms.PassOnForm(), desk()
    if queries.one_at(mine, request_id) is None:
        abort(404)
    if not form.validate():
        flash(_("Write which team received it."), "warning")
        return redirect(url_for(".show", request_id=request_id), 303)
    unit = " ".join((form.unit.data or "").split())
    return do(
        request_id, form, lambda: actions.pass_on(mine, request_id, unit, version=form.seen), _("Noted: passed on.")
    )
