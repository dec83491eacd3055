"""My account, my identity: what the provider vouches for, to the letter, and where it is corrected."""

from flask import Blueprint, abort, render_template

from auth import guards, queries, sessions
from auth.identity import wording

identity_pages = guards.patients(
    Blueprint("identity", __name__, url_prefix="/mon-compte/identite", template_folder="templates"), "account"
)


@identity_pages.get("")
def show() -> str:
    """The signed-in person's own traits, read-only."""
    current = sessions.signed_in()
    if current is None or current.own_id is None:
        abort(403)
    return render_template("identity/show.html", patient=queries.patient(current.own_id), words=wording)
