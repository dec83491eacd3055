"""What the person sees of support, on the page that says who opened their file; and the button that ends it."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.support import actions, queries
from auth.support.models import SupportSession
from portal import db

# As the page that shows the code: to say no asks for no other proof.
pages = guards.signed_in(
    Blueprint("support", __name__, url_prefix="/mon-compte/assistance", template_folder="templates")
)


@pages.post("/<uuid:session_id>/terminer")
def end(session_id: UUID) -> Response:
    """Say no, or that it is enough: about oneself, for whomever one acts at that moment."""
    found = next((each for each in _mine() if each.id == session_id), None) or abort(404)
    actions.end_by_person(found)
    flash(_("No agent sees your screens any more."), "success")
    return redirect(url_for("account.show"), 303)


def _mine() -> list[SupportSession]:
    current = sessions.signed_in()
    of_me = queries.of_person(current.own_id) if current and current.own_id else ()
    return [*of_me, *queries.of_account(db.current_actor().account_id)]
