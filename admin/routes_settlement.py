"""The accountant's side of online payments: days compared with files, differences to explain, debits given back."""

from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import routes_billing
from auth import guards
from portal import db, establishments, files
from portal.calendar import GROUP_ZONE, civil_day
from portal.delimited import NotSuchAFile
from portal.establishments import Establishment
from portal.web import uploads
from services.billing import queries as bills
from services.billing.actions import UnknownBill
from services.billing.imports import wording
from services.billing.settlement import actions, jobs, queries
from services.billing.settlement.actions import NotRejectable, Unknown
from services.billing.settlement.forms import DecideForm, FileForm, RejectionForm
from services.billing.settlement.models import DIFFERENCE_STATES, SettlementDifference
from services.billing.settlement.queries import CounterDay

pages = guards.staff(
    Blueprint("admin_settlement", __name__, url_prefix="/admin/factures/rapprochement", template_folder="templates"),
    right="billing",
)
rejections = guards.staff(
    Blueprint("admin_rejections", __name__, url_prefix="/admin/factures", template_folder="templates"), right="billing"
)

Page = str | Response | tuple[str, int]


@pages.get("", strict_slashes=False)
def days() -> str:
    """Days and counters, newest first. By address: jusqu_au, the last day shown."""
    mine = _mine()
    today = _today(mine)
    last = _last_day(today)
    first = last - timedelta(days=queries.DAYS_SHOWN - 1)
    rows = queries.day_rows([place.id for place in mine], first, last)
    return render_template(
        "admin/settlement/days.html",
        rows=rows,
        places={place.id: place for place in mine},
        first=first,
        last=last,
        is_latest=last >= today,
        before=first - timedelta(days=1),
        after=last + timedelta(days=queries.DAYS_SHOWN),
        open_differences=queries.open_count([place.id for place in mine]),
    )


@pages.get("/<finess>/<psp>/<account>/<day>")
def day(finess: str, psp: str, account: str, day: str) -> str:
    """One day of one counter, payment by payment."""
    return _day_page(*_key(finess, psp, account, day))


def _day_page(place: Establishment, key: CounterDay) -> str:
    row = queries.day_row(key) or abort(404)
    return render_template(
        "admin/settlement/day.html",
        row=row,
        place=place,
        payments=queries.payments_of(key),
        differences=queries.differences_at([place.id], state="", key=key),
    )


@pages.post("/<finess>/<psp>/<account>/<day>/clore")
def close_day(finess: str, psp: str, account: str, day: str) -> Page:
    """409, and the day as it is now, when it cannot be closed, or was meanwhile."""
    place, key = _key(finess, psp, account, day)
    try:
        actions.close_day([place.id], key)
    except Unknown:
        flash(_("This day cannot be closed: a difference has no explanation yet, or it is closed already."), "warning")
        return _day_page(place, key), 409
    flash(_("The day is checked and closed."), "success")
    return redirect(url_for(".day", finess=finess, psp=psp, account=account, day=day), 303)


@pages.post("/comparer")
def compare() -> Response:
    """Have the last weeks compared again."""
    for place in _mine():
        jobs.ask_to_compare(place)
    flash(_("The comparison has begun: look again in a minute."), "info")
    return redirect(url_for(".days"), 303)


# -- the work list -----------------------------------------------------------------------------------------------


@pages.get("/ecarts")
def differences() -> str:
    """By address: etat."""
    state = request.args.get("etat", "open")
    state = state if state in DIFFERENCE_STATES else "open"
    places = guards.establishments("billing")
    return render_template(
        "admin/settlement/differences.html",
        differences=queries.differences_at(places, state=state),
        places={place.id: place for place in _mine()},
        state=state,
        open_differences=queries.open_count(places),
    )


@pages.route("/ecarts/<uuid:difference_id>", methods=["GET", "POST"])
def difference(difference_id: UUID) -> Page:
    """One difference: what each side says, and what somebody decides."""
    places = guards.establishments("billing")
    found = queries.difference_at(places, difference_id) or abort(404)
    form = DecideForm()
    if not form.validate_on_submit():
        return _difference_page(found, form), 422 if form.errors else 200
    after = queries.neighbours(places, found)[1]
    if not _decide(found, form):
        return _difference_page(found, DecideForm(formdata=None)), 409
    if after is not None:
        return redirect(url_for(".difference", difference_id=after), 303)
    return redirect(url_for(".differences"), 303)


def _difference_page(found: SettlementDifference, form: DecideForm) -> str:
    before, after = queries.neighbours(guards.establishments("billing"), found)
    return render_template(
        "admin/settlement/difference.html",
        found=found,
        form=form,
        place=db.session.get_one(Establishment, found.establishment_id),
        changes=queries.changes_of(found.id),
        before=before,
        after=after,
    )


def _decide(found: SettlementDifference, form: DecideForm) -> bool:
    """False when somebody else has decided meanwhile."""
    if form.after.data == found.state == "open":
        flash(_("The difference is left open."), "info")
        return True
    try:
        actions.decide(guards.establishments("billing"), found.id, form.after.data, form.why.data or "")
    except Unknown:
        flash(_("Somebody else has decided about this difference meanwhile."), "warning")
        return False
    flash(_("What you decided is written down."), "success")
    return True


# -- files -------------------------------------------------------------------------------------------------------


@pages.route("/fichiers", methods=["GET", "POST"])
def received() -> Page:
    """Files read so far, and one more."""
    form = FileForm()
    if form.validate_on_submit() and (done := _read_sent(form)) is not None:
        return done
    places = guards.establishments("billing")
    page = render_template(
        "admin/settlement/files.html",
        form=form,
        files=queries.files_at(places),
        places={place.id: place for place in _mine()},
        open_differences=queries.open_count(places),
    )
    return page, 422 if form.errors else 200


def _read_sent(form: FileForm) -> Response | None:
    """The bytes are read and forgotten: what they say is kept line by line."""
    arriving = uploads.arriving(request.files.get("file"))
    if arriving is None or not 0 < arriving.size <= jobs.MOST_BYTES_ON_SCREEN:
        form.file.errors = [_("The file is empty, or over 4 MB: an operator can read it with parvis import payments")]
        return None
    name, data = (request.files["file"].filename or "")[:200], arriving.read()
    files.discard(arriving.key)
    mine = {place.id: place for place in _mine()}
    db.session.commit()  # each batch of lines is a transaction of its own
    try:
        report = jobs.read_file(data, name, among=set(mine))
    except NotSuchAFile as error:
        form.file.errors = [_("This is no file of payments: %(why)s", why=wording.why(str(error)))]
        return None
    for place_id in report.places:
        jobs.ask_to_compare(mine[place_id], report.days.get(place_id))
    flash(
        _(
            "The file is read: %(added)s lines added, %(changed)s changed, %(unchanged)s known already,"
            " %(refused)s refused.",
            **report.totals(),
        ),
        "warning" if report.totals()["refused"] else "success",
    )
    return redirect(url_for(".received"), 303)


@pages.get("/fichiers/<uuid:file_id>")
def received_one(file_id: UUID) -> str:
    found = queries.file_at(guards.establishments("billing"), file_id) or abort(404)
    return render_template(
        "admin/settlement/file.html",
        found=found,
        outcomes=queries.outcomes_of(found),
        place=db.session.get_one(Establishment, found.establishment_id),
    )


# -- a debit given back, from the page of its bill ---------------------------------------------------------------


@rejections.post("/<uuid:bill_id>/rejet")
def reject(bill_id: UUID) -> Response | tuple[str, int]:
    """Record that the bank gave a debit order back."""
    form, places = RejectionForm(), guards.establishments("billing")
    if bills.one_at(places, bill_id) is None:
        abort(404)
    if not form.validate():
        flash(_("Enter the accountant’s reference to record that the debit was given back."), "warning")
        return redirect(url_for("admin_billing.show", bill_id=bill_id), 303)
    try:
        actions.reject_at(places, bill_id, UUID(form.entry.data), form.note.data or "")
        flash(
            _("The debit given back is written down: the bill is to be paid again, and the payer is told."), "success"
        )
    except (UnknownBill, ValueError):
        abort(404)
    except NotRejectable:
        flash(_("This payment cannot be given back: it is no direct debit, or was given back already."), "warning")
        return routes_billing.moved(bill_id)
    return redirect(url_for("admin_billing.show", bill_id=bill_id), 303)


# -- what every page needs ---------------------------------------------------------------------------------------


def _mine() -> list[Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]


def _today(mine: list[Establishment]) -> date:
    return max((civil_day(db.now(), place.tz) for place in mine), default=civil_day(db.now(), GROUP_ZONE))


def _last_day(today: date) -> date:
    try:
        return min(date.fromisoformat(request.args.get("jusqu_au", "")), today)
    except ValueError:
        return today


def _key(finess: str, psp: str, account: str, day: str) -> tuple[Establishment, CounterDay]:
    place = next((place for place in _mine() if place.finess == finess), None) or abort(404)
    try:
        return place, CounterDay(date.fromisoformat(day), place.id, psp, account)
    except ValueError:
        abort(404)
