"""Requests of practitioners: the tray by what presses, one request as a doctor reads it, its thread and files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_referrals import SearchForm, WriteForm
from auth import guards, held_forms
from auth.agents import queries as agents
from portal import calendar, db
from portal.establishments import Unit
from portal.files import FileNotReadable
from portal.web.downloads import file_response, made_response
from portal.web.repeated_posts import once
from services.directory import queries as directory
from services.directory.queries import Person
from services.questionnaires import answers as questionnaires
from services.questionnaires import wording as questionnaire_words
from services.questionnaires.models import Questionnaire
from services.questionnaires.wording import Line
from services.referrals import definition, letters, queries, states, wording
from services.referrals.actions import answering, thread
from services.referrals.actions.thread import EmptyMessage
from services.referrals.letters import NothingToTell
from services.referrals.models import RIGHT, ReferralTarget
from services.referrals.queries import PAGE, TRAYS, Sieve
from services.referrals.states import NotPossibleNow

pages = guards.staff(
    Blueprint("admin_referrals", __name__, url_prefix="/admin/orientations", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
MINE, ALL = "miennes", "toutes"
_MOST_PAGES = 400


def here() -> frozenset[UUID]:
    """The hospitals whose requests the agent answers."""
    return guards.establishments(RIGHT)


def one(target_id: UUID) -> ReferralTarget:
    """A request at one of them; 404 otherwise."""
    return queries.one_at(here(), target_id) or abort(404)


# -- the tray ------------------------------------------------------------------------------------------------------


@pages.get("")
def tray() -> str:
    """Requests to answer, the most pressing first; those of the agent's own units unless all are asked for."""
    units = queries.units_at(here())
    chosen, wanted = _units(units)
    asked = request.args
    sieve = Sieve(
        tray=asked.get("bac", "") if asked.get("bac") in TRAYS else "to_answer",
        units=wanted,
        kind=asked.get("nature", "") if asked.get("nature") in definition.KINDS else "",
    )
    page = max(1, min(asked.get("page", 1, int), _MOST_PAGES))
    return _tray(units, chosen, sieve, page, SearchForm(MultiDict()))


def _units(units: Sequence[Unit]) -> tuple[str, frozenset[UUID]]:
    """Which units the address asks for: one by its id, the agent's own, or all."""
    known = {str(each.id): each.id for each in units}
    mine = agents.my_units() & frozenset(known.values())
    asked = request.args.get("unite", MINE)
    if asked in known:
        return asked, frozenset({known[asked]})
    return (MINE, mine) if asked == MINE and mine else (ALL, frozenset())


def _tray(units: Sequence[Unit], chosen: str, sieve: Sieve, page: int, form: SearchForm) -> str:
    found = queries.tray(here(), sieve, page)
    shown = found[:PAGE]
    for place in {each.establishment_id for each in shown}:
        answering.list_read(place, sum(each.establishment_id == place for each in shown))
    return render_template(
        "admin/referrals/tray.html",
        found=shown,
        counts=queries.counts(here(), sieve.units),
        most=queries.MOST_COUNTED,
        sieve=sieve,
        chosen=chosen,
        units=units,
        has_own=chosen == MINE or bool(agents.my_units() & {each.id for each in units}),
        page=page,
        has_more=len(found) > PAGE,
        form=form,
        now=db.now(),
        me=db.current_actor().account_id,
        words=wording,
        age=age,
        holds_administration=db.current_actor().may("administration"),
    )


@pages.post("/recherche")
def search() -> Answer:
    """By reference, or by birth name and day: a post, so that names stay out of addresses and logs."""
    form, units = SearchForm(), queries.units_at(here())
    is_valid = form.validate()
    if is_valid and form.is_empty:
        form.words.errors = [_("Write a reference, a birth name or a birth date.")]
    if form.errors:
        return _tray(units, ALL, Sieve(), 1, form), 422
    words = (form.words.data or "").replace("\0", "")
    return _tray(units, ALL, Sieve(words=words, born_on=form.born_on.data), 1, form)


def age(target: ReferralTarget) -> int:
    """Of whom it is about, in whole years, today at that hospital."""
    born, today = target.referral.birth_on, calendar.civil_day(db.now(), target.establishment.tz)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


# -- one request ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:target_id>")
def show(target_id: UUID) -> str:
    """The request, whole. Opening it is written down, and the practitioner sees that it was read."""
    target = one(target_id)
    answering.read(target)
    held = held_forms.take()
    return page(target, WriteForm(formdata=held) if held else WriteForm(MultiDict()))


def page(target: ReferralTarget, form: WriteForm) -> str:
    return render_template("admin/referrals/show.html", form=form, sender=_sender(target), **facts(target))


def facts(target: ReferralTarget) -> dict[str, Any]:
    """What every page about a request shows of it."""
    preceding, following = queries.beside(here(), target, _units_of_address())
    return {
        "target": target,
        "referral": target.referral,
        "lines": _answers(target),
        "following": following,
        "preceding": preceding,
        "now": db.now(),
        "me": db.current_actor().account_id,
        "words": wording,
        "age": age(target),
        "may": states.TARGET[target.state],
        "holds": db.current_actor().may,
        "number": queries.number_of(target),
    }


def _units_of_address() -> frozenset[UUID]:
    """Units whose requests one goes through: those of the tray one comes from."""
    asked = request.args.get("unite", MINE)
    if asked == ALL:
        return frozenset()
    try:
        return frozenset({UUID(asked)})
    except ValueError:
        return agents.my_units()


def _answers(target: ReferralTarget) -> list[Line]:
    """Answers to the unit's own questions, in words."""
    if target.questionnaire_id is None or not target.answers:
        return []
    asked = db.session.get(Questionnaire, target.questionnaire_id)
    if asked is None:
        return []
    return questionnaire_words.lines(asked.definition, questionnaires.load(target.answers))


def _sender(target: ReferralTarget) -> Person | None:
    """As the national directory knows who asks: their telephone and their secure mailbox."""
    known = target.referral.professional
    rpps = known.rpps if known else target.referral.rpps
    return directory.person(rpps) if rpps else None


@pages.post("/<uuid:target_id>/ecrire")
@once
def write(target_id: UUID) -> Answer:
    """Write to the practitioner, with a file or without."""
    target, form = one(target_id), WriteForm()
    joined = form.take_upload(needed=False) if form.validate() else None
    if form.errors:
        return page(target, form), 422
    try:
        files = [joined.id] if joined else []
        thread.write(target, form.words, file_ids=files, for_patient=form.for_patient.data)
    except EmptyMessage:
        form.text.errors = [_("Write a message, or join a file.")]
        return page(target, form), 422
    except NotPossibleNow:
        return page(target, form), 409
    flash(_("Your message is sent."), "success")
    return redirect(url_for(".show", target_id=target_id), 303)


@pages.get("/<uuid:target_id>/fichiers/<uuid:file_id>")
def file(target_id: UUID, file_id: UUID) -> Response:
    """A file of the request or of its thread: read in a tab when it can be, or taken away. Written down."""
    target = one(target_id)
    joined = queries.file_of(target, file_id) or abort(404)
    try:
        response = file_response(joined.file, inline=request.args.get("lire") == "1")
    except FileNotReadable:
        abort(404)
    thread.hand_over_file(target, joined)
    return response


@pages.post("/<uuid:target_id>/lettre")
def letter(target_id: UUID) -> Response:
    """The answer as a letter to the patient. A post: that it was printed is written down."""
    target = one(target_id)
    try:
        made = letters.write(target)
    except NothingToTell:
        abort(409)
    answering.letter_made(target)
    return made_response(made, f"reponse-{target.referral.reference}.pdf")
