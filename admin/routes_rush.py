"""The staff's side of the waiting room: how many people come in a minute, and who waits now."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from services.appointments.rush import actions, queries
from services.appointments.rush.forms import PaceForm

rush_pages = guards.staff(
    Blueprint("admin_rush", __name__, url_prefix="/admin/affluence", template_folder="templates"),
    right="administration",
)


@rush_pages.get("")
def show() -> str:
    """Who waits at this moment, and the pace."""
    return _page(PaceForm(per_minute=queries.room().per_minute))


@rush_pages.post("")
def change() -> Response | tuple[str, int]:
    form = PaceForm()
    if not form.validate():
        return _page(form), 422
    actions.change_pace(queries.room(), form.per_minute.data or 1)
    flash(_("From now on, %(num)d persons come in each minute.", num=form.per_minute.data), "success")
    return redirect(url_for(".show"), 303)


def _page(form: PaceForm) -> str:
    return render_template("admin/rush/show.html", form=form, waiting=queries.room().waiting(db.now()))
