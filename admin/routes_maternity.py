"""Places for births: the unit's tray of requests, one request and its answer, and how many births each site takes."""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import calendar, db
from portal.establishments import Site
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.preadmission import queries as files
from services.preadmission.actions import RIGHT
from services.preadmission.maternity import actions, queries, wording
from services.preadmission.maternity.forms import DecideForm, PlacesForm
from services.preadmission.maternity.models import MaternityWish
from services.preadmission.maternity.queries import Room
from services.preadmission.maternity.states import TRANSITIONS, WishTransitionRefused

Answer = str | Response | tuple[str, int]
maternity_pages = guards.staff(
    Blueprint("admin_maternity", __name__, url_prefix="/admin/maternite", template_folder="templates"), right=RIGHT
)
places_pages = guards.staff(
    Blueprint("admin_maternity_places", __name__, url_prefix="/admin/places-de-maternite", template_folder="templates"),
    right="administration",
)
_MONTHS_AHEAD = 10


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


@maternity_pages.get("")
def tray() -> str:
    """The requests at my hospitals, by what they wait for."""
    group = request.args.get("etat", "to_answer")
    month = _month(request.args.get("mois", ""))
    page = max(1, request.args.get("page", 1, type=int))
    group = group if group in queries.GROUPS else "to_answer"
    found = queries.tray(_here(), group, month, min(page, 1000))
    return render_template(
        "admin/maternity/tray.html", wishes=found[: queries.PAGE_SIZE], has_more=len(found) > queries.PAGE_SIZE,
        counts=queries.counts(_here()), group=group, month=month, months=_months(_today()), page=page, words=wording,
        rooms=queries.rooms(_here(), since=_today()), month_name=_month_name, secret=queries.secret(found),
    )  # fmt: skip


@maternity_pages.route("/<uuid:wish_id>", methods=["GET", "POST"])
@once
def show(wish_id: UUID) -> Answer:
    """One request, the places of its month, and the answer."""
    wish: MaternityWish = queries.one(_here(), wish_id) or abort(404)
    rooms = queries.rooms(_here(), since=wish.request.due_on, site_id=wish.site_id)
    rooms = [room for room in rooms if room.places.month == queries.first_day(wish.request.due_on)]
    today = calendar.civil_day(db.now(), wish.establishment.tz)
    form = DecideForm()
    form.offer(_possible(wish, rooms), [room.places.level for room in rooms], today)
    if form.validate_on_submit() and _decided(wish, form):
        flash(_("Saved: the patient reads it at once."), "success")
        return redirect(url_for(".show", wish_id=wish.id), 303)
    if request.method == "GET":
        actions.look(wish)
    page = render_template(
        "admin/maternity/request.html", wish=wish, wanted=wish.request, rooms=rooms, form=form, words=wording,
        history=queries.history(wish.id), month_name=_month_name,
    )  # fmt: skip
    return page, 422 if form.errors else 200


def _possible(wish: MaternityWish, rooms: Sequence[Room]) -> list[str]:
    """A place that is offered is the patient's to confirm, and goes back by itself."""
    found = TRANSITIONS[wish.state] - {"confirmed"}
    found -= set() if rooms else {"offered", "waiting_list"}
    return sorted(found - {"waiting_list"} if wish.state == "offered" else found)


def _decided(wish: MaternityWish, form: DecideForm) -> bool:
    """Whether it could be done; why not is said beside the field."""
    words = (form.words.data or "").strip()
    try:
        if form.decision.data == "offered":
            actions.offer(wish, form.level.data, form.answer_by.data, words)
        elif form.decision.data == "waiting_list":
            actions.put_on_list(wish, form.level.data, words)
        elif form.decision.data == "studied":
            actions.study(wish)
        elif form.decision.data == "refused":
            actions.refuse(wish, words)
        else:
            actions.end(wish, form.decision.data, words)
    except tuple(_REFUSALS) as refusal:
        form.decision.errors = [_REFUSALS[type(refusal)]()]
        return False
    return True


_REFUSALS: dict[type[Exception], Callable[[], str]] = {
    WishTransitionRefused: lambda: _("Somebody else has just changed this request: read it again."),
    actions.NoPlacesHere: lambda: _("No place is open for that month and level."),
    actions.Full: lambda: _("Every place of that month and level is kept: put the request on the waiting list."),
    actions.OthersWait: lambda: _("Somebody has been waiting for that place for longer: answer them first."),
    actions.OfferedElsewhere: lambda: _("Another maternity unit keeps a place for this birth."),
}


# -- how many births -----------------------------------------------------------------------------------------------


@places_pages.route("", methods=["GET", "POST"])
def places() -> Answer:
    """How many births each site takes, by month and level."""
    here = guards.establishments("administration")
    sites: dict[str, Site] = {str(site.id): site for site in files.sites_of(here)}
    form = PlacesForm()
    form.site_id.choices = choices((key, f"{site.name}, {site.establishment.name}") for key, site in sites.items())
    form.month.choices = choices((each.isoformat(), _month_name(each)) for each in _months(_today()))
    if form.validate_on_submit():
        month = date.fromisoformat(form.month.data)
        try:
            actions.set_places(sites[form.site_id.data], month, form.level.data, form.places.data or 0)
        except actions.TooFew as refusal:
            form.places.errors = [_("%(count)s places are kept already: write at least as many.", count=refusal.taken)]
        else:
            flash(_("Saved."), "success")
            return redirect(url_for(".places"), 303)
    page = render_template(
        "admin/maternity/places.html", form=form, rooms=queries.rooms(here, since=_today()), month_name=_month_name
    )
    return page, 422 if form.errors else 200


def _today() -> date:
    """Where the month is over last: what a hospital may still fill in is hidden nowhere."""
    return calendar.earliest_day(db.now())


def _months(first: date) -> list[date]:
    """This month and the ten that follow: a pregnancy and a little more."""
    found = [queries.first_day(first)]
    for _each in range(_MONTHS_AHEAD):
        last = found[-1]
        found.append(date(last.year + last.month // 12, last.month % 12 + 1, 1))
    return found


def _month(text: str) -> date | None:
    try:
        return queries.first_day(date.fromisoformat(text))
    except ValueError:
        return None


def _month_name(month: date) -> str:
    return str(format_date(month, "MMMM yyyy"))
