"""The MSSanté boxes of the hospitals that one administers: declared, changed, tried, closed; and their operator."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from auth import guards, held_forms
from portal import db, establishments
from portal.establishments import Establishment
from portal.gateways import DoorError, UnsupportedUrl
from portal.gateways.mssante.url import parse
from portal.gateways.reach import Inside
from portal.web.forms import INSIDE
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.documents.exchanges.queries import units_at
from services.documents.mailboxes import actions, operators, queries, wording
from services.documents.mailboxes.actions import BoxTaken, HolderMissing, NotABoxAddress, UnknownUnit
from services.documents.mailboxes.forms import BoxForm, ChangeBoxForm, OperatorForm
from services.documents.mailboxes.models import Mailbox
from services.documents.mailboxes.operators import NoOperator, PersonalBox

RIGHT = "administration"
mailbox_pages = guards.staff(
    Blueprint("admin_mailboxes", __name__, url_prefix="/admin/documents/boites", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@mailbox_pages.get("")
def boxes() -> str:
    """Every box, how its reading goes, what waits in it."""
    held = guards.establishments(RIGHT)
    return render_template(
        "admin/mailboxes/boxes.html",
        lines=queries.boxes_at(held),
        operators=queries.operators_at(held),
        hospitals=[(each, _operator_of(each)) for each in queries_figures.hospitals(held)],
        words=wording,
    )


@mailbox_pages.route("/ajouter", methods=["GET", "POST"])
@once
def add() -> Answer:
    """Declare a box."""
    held = held_forms.take()
    form = BoxForm(formdata=held) if held else BoxForm()
    hospitals = list(queries_figures.hospitals(guards.establishments(RIGHT)))
    form.offer_hospitals(hospitals)
    form.offer(units_at(guards.establishments(RIGHT)))
    if form.validate_on_submit():
        place = next(each for each in hospitals if str(each.id) == form.establishment.data)
        if box := _told(form, lambda: actions.add_box(place, form.draft())):
            flash(_("The box is declared. Try its connection."), "success")
            return redirect(url_for(".show", mailbox_id=box.id), 303)
    page = render_template("admin/mailboxes/add.html", form=form)
    return page, 422 if form.errors else 200


@mailbox_pages.route("/<uuid:mailbox_id>", methods=["GET", "POST"])
@once
def show(mailbox_id: UUID) -> Answer:
    """One box: how it goes, and what may change."""
    box = _one(mailbox_id)
    form = ChangeBoxForm(data={"label": box.label, "unit": str(box.unit_id or "")})
    form.offer(units_at([box.establishment_id]))
    if form.validate_on_submit() and _told(form, lambda: actions.change_box(box, form.draft(box))):
        flash(_("Saved."), "success")
        return redirect(url_for(".show", mailbox_id=box.id), 303)
    line = next(each for each in queries.boxes_at([box.establishment_id]) if each.box.id == box.id)
    page = render_template("admin/mailboxes/box.html", line=line, host=_host(box), form=form, words=wording)
    return page, 422 if form.errors else 200


@mailbox_pages.post("/<uuid:mailbox_id>/fermer")
def close(mailbox_id: UUID) -> Response:
    """Read it no more, write no more from it."""
    actions.close_box(_one(mailbox_id))
    flash(_("The box is closed here. Its history stays."), "success")
    return redirect(url_for(".boxes"), 303)


@mailbox_pages.post("/<uuid:mailbox_id>/essai")
@limiter.limit("20 per minute")
def trial(mailbox_id: UUID) -> Response:
    """Ask the operator whether it lets the box in."""
    box = _one(mailbox_id)
    trouble = _tried(box)
    actions.note_trial(db.session.get_one(Mailbox, mailbox_id), trouble)
    if trouble:
        flash(_("It does not open. %(why)s", why=wording.what(trouble)), "error")
    else:
        flash(_("The operator lets the box in."), "success")
    return redirect(url_for(".show", mailbox_id=mailbox_id), 303)


def _tried(box: Mailbox) -> str:
    """Our word for what is wrong; empty when it opens."""
    try:
        way = operators.way_to(box)
        db.session.commit()  # nothing stays open while the operator answers
        way.check()
    except (PersonalBox, NoOperator, UnsupportedUrl, DoorError) as error:
        return operators.trouble_of(error)
    return ""


@mailbox_pages.route("/operateur/<finess>", methods=["GET", "POST"])
@once
def operator(finess: str) -> Answer:
    """The operator of a hospital's boxes. What is typed is never shown again."""
    mine = queries_figures.hospitals(guards.establishments(RIGHT))
    place = next((each for each in mine if each.finess == finess), None) or abort(404)
    receipts = establishments.setting(place.id, operators.ERROR_RECEIPTS, "no")
    form = OperatorForm(data={"receipts": receipts})
    if form.validate_on_submit():
        try:
            actions.set_operator(place, (form.url.data or "").strip(), form.receipts.data)
        except UnsupportedUrl as error:
            form.url.errors = [_why(error)]
        else:
            flash(_("Saved. Try the connection of a box."), "success")
            return redirect(url_for(".boxes"), 303)
    page = render_template("admin/mailboxes/operator.html", form=form, hospital=place, host=_operator_of(place))
    return page, 422 if form.errors else 200


def _operator_of(place: Establishment) -> str:
    """Its name for people; empty when there is none, or when it cannot be read."""
    try:
        return str(parse(establishments.setting(place.id, operators.ADDRESS)).smtp)
    except UnsupportedUrl:
        return ""


def _host(box: Mailbox) -> str:
    try:
        return operators.host_of(box)
    except (NoOperator, UnsupportedUrl):
        return ""


def _told(form: BoxForm | ChangeBoxForm, change: Callable[[], Mailbox]) -> Mailbox | None:
    """Make the change; what is wrong goes beside its field."""
    try:
        return change()
    except BoxTaken:
        form.address.errors = [_("This address is declared already.")]
    except NotABoxAddress:
        form.address.errors = [_("This is not the address of a hospital’s box.")]
    except HolderMissing:
        form.holder.errors = [_("Nobody with this RPPS number has signed in here yet.")]
    except UnknownUnit:
        form.unit.errors = [_("This unit is not of this hospital.")]
    except UnsupportedUrl as error:
        form.url.errors = [_why(error)]
    return None


def _why(error: UnsupportedUrl) -> str:
    return str(INSIDE) if isinstance(error, Inside) else _("This address cannot be used: %(why)s", why=str(error))


def _one(mailbox_id: UUID) -> Mailbox:
    return queries.box_at(guards.establishments(RIGHT), mailbox_id) or abort(404)
