"""The staff's side of rooms, devices and interpreters: what there is, who has it when, what to do when one is out."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from portal import establishments
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.appointments.forms import day_asked
from services.appointments.models import Resource
from services.appointments.outside import actions as outside_actions
from services.appointments.outside import queries as outside
from services.appointments.resources import actions, queries
from services.appointments.resources.actions import NameTaken
from services.appointments.resources.forms import NameForm, PoolForm
from services.appointments.resources.queries import Pool
from services.appointments.resources.wording import KINDS

resource_pages = guards.staff(
    Blueprint("admin_resources", __name__, url_prefix="/admin/ressources", template_folder="templates"),
    right="appointments",
)


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


# -- pools -------------------------------------------------------------------------------------------------------


@resource_pages.get("")
def pools() -> str:
    """Everything that appointments may need, by hospital and kind."""
    found = queries.pools(_here())
    return render_template("admin/resources/list.html", pools=found, kinds=KINDS)


@resource_pages.route("/nouveau", methods=["GET", "POST"])
@once
def create() -> Response | tuple[str, int]:
    """Name resources that stand for one another."""
    form = PoolForm()
    form.offer([each for each in establishments.establishments() if each.id in _here()])
    if form.validate_on_submit():
        try:
            made = actions.create_pool(UUID(form.establishment.data), form.kind.data, form.name.data or "")
        except NameTaken:
            form.name.errors = [_("The hospital already has resources of this name: give another name")]
            return render_template("admin/resources/create.html", form=form), 409
        return redirect(url_for(".pool", pool_id=made.id), 303)
    return render_template("admin/resources/create.html", form=form), 422 if form.errors else 200


@resource_pages.get("/<uuid:pool_id>")
def pool(pool_id: UUID) -> str:
    """What it holds, and which reasons need one of it."""
    return _pool_page(_pool(pool_id), NameForm(MultiDict()))


@resource_pages.post("/<uuid:pool_id>")
@once
def add(pool_id: UUID) -> Response | tuple[str, int]:
    """One more of them."""
    shown, form = _pool(pool_id), NameForm()
    if not form.validate():
        return _pool_page(shown, form), 422
    try:
        actions.add_resource(shown.pool, form.name.data or "")
    except NameTaken:
        form.name.errors = [_taken()]
        return _pool_page(shown, form), 409
    flash(_("Added: appointments may have it from now on."), "success")
    return redirect(url_for(".pool", pool_id=pool_id), 303)


@resource_pages.route("/<uuid:pool_id>/nom", methods=["GET", "POST"])
def rename_pool(pool_id: UUID) -> Response | tuple[str, int]:
    """Another name."""
    shown = _pool(pool_id)
    form = NameForm(obj=shown.pool)
    if form.validate_on_submit():
        try:
            actions.rename_pool(shown.pool, form.name.data or "")
        except NameTaken:
            form.name.errors = [_("The hospital already has resources of this name: give another name")]
            return _name_page(form, shown.pool.name, url_for(".pool", pool_id=pool_id)), 409
        return redirect(url_for(".pool", pool_id=pool_id), 303)
    page = _name_page(form, shown.pool.name, url_for(".pool", pool_id=pool_id))
    return page, 422 if form.errors else 200


def _pool_page(shown: Pool, form: NameForm) -> str:
    to_come = queries.to_come([each.id for each in shown.resources])
    return render_template("admin/resources/pool.html", shown=shown, form=form, kinds=KINDS, to_come=to_come)


def _name_page(form: NameForm, name: str, back: str) -> str:
    return render_template("admin/resources/rename.html", form=form, name=name, back=back)


def _pool(pool_id: UUID) -> Pool:
    return queries.pool(pool_id, _here()) or abort(404)


def _taken() -> str:
    return str(_("There is one of this name already: give another name"))


# -- one resource ------------------------------------------------------------------------------------------------


@resource_pages.get("/une/<uuid:resource_id>")
def show(resource_id: UUID) -> str:
    """Its day, and whom its absence would concern."""
    one = _one(resource_id)
    place = _place(one)
    day = day_asked(request.args.get("day", "")) or queries.today(place)
    actions.open_day(one, day)
    return render_template(
        "admin/resources/show.html",
        resource=one,
        place=place,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        busy=queries.day(one, day, place),
        held=queries.sessions_in(one, day) if one.pool.kind == "room" else [],
        sessions_left=queries.count_sessions_to_come(one) if one.out_of_use else 0,
        stranded=queries.stranded(one) if one.out_of_use else [],
    )


@resource_pages.route("/une/<uuid:resource_id>/nom", methods=["GET", "POST"])
def rename(resource_id: UUID) -> Response | tuple[str, int]:
    """Another name."""
    one = _one(resource_id)
    form, back = NameForm(obj=one), url_for(".show", resource_id=resource_id)
    if form.validate_on_submit():
        try:
            actions.rename_resource(one, form.name.data or "")
        except NameTaken:
            form.name.errors = [_taken()]
            return _name_page(form, one.name, back), 409
        return redirect(back, 303)
    return _name_page(form, one.name, back), 422 if form.errors else 200


@resource_pages.post("/une/<uuid:resource_id>/hors-service")
def put_out(resource_id: UUID) -> Response:
    """Nobody is given it any more."""
    actions.put_out_of_use(_one(resource_id))
    flash(_("Out of use: no new appointment will have it. Those below still do."), "success")
    return redirect(url_for(".show", resource_id=resource_id), 303)


@resource_pages.post("/une/<uuid:resource_id>/en-service")
def put_in(resource_id: UUID) -> Response:
    """It is back."""
    actions.put_in_use(_one(resource_id))
    flash(_("In use again."), "success")
    return redirect(url_for(".show", resource_id=resource_id), 303)


@resource_pages.post("/une/<uuid:resource_id>/remplacer")
def relieve(resource_id: UUID) -> Response:
    """Give another one to the appointments that have it, or to one of them."""
    only = request.form.get("appointment", type=UUID)
    done = actions.relieve(_one(resource_id), only)
    if done.helped:
        flash(
            ngettext("One appointment got another one.", "%(num)d appointments got another one.", done.helped),
            "success",
        )
    if done.left:
        flash(
            ngettext(
                "None is free for one appointment: move it or call the patient.",
                "None is free for %(num)d appointments: move them or call the patients.",
                len(done.left),
            ),
            "warning",
        )
    return redirect(url_for(".show", resource_id=resource_id), 303)


def _one(resource_id: UUID) -> Resource:
    return queries.resource(resource_id, _here()) or abort(404)


def _place(one: Resource) -> Establishment:
    return next(each for each in establishments.establishments() if each.id == one.establishment_id)


# -- the hospital's own agenda -----------------------------------------------------------------------------------


@resource_pages.get("/ailleurs")
def clashes() -> str:
    """Appointments whose practitioner the hospital's own agenda says to be elsewhere."""
    found = outside.clashes(_here())
    outside_actions.open_clashes(found)
    return render_template("admin/resources/clashes.html", clashes=found)
