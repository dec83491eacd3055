"""The first page of the staff: figures for administrators, the nearest tray for the others."""

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from auth import guards
from portal import catalog, db

dashboard_pages = guards.staff(Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates"))


@dashboard_pages.get("/")
def dashboard() -> str | Response:
    actor = db.current_actor()
    if actor.may("administration"):
        return render_template("admin/dashboard.html")
    for card in catalog.staff_cards():
        if actor.may(card.right):
            return redirect(url_for(card.staff_endpoint))
    abort(403)
