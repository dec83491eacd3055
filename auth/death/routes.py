"""The page that anybody meets whose account is closed: kind, and with a telephone number."""

from flask import Blueprint, render_template

from auth import guards
from portal.establishments import establishments

closed_pages = guards.public(Blueprint("closed", __name__, template_folder="templates"))


@closed_pages.get("/compte-ferme")
def closed() -> str:
    """Whom to ask, for heirs and for whoever is here by mistake. Says nothing of why."""
    return render_template("death/closed.html", hospitals=establishments())
