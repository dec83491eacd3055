"""Who may come in: one guard per blueprint, set where it is made. A blueprint without a guard fails the tests.

A refused patient or professional is sent to their door and comes back; what they had typed is kept. A person of
another audience gets 403; another person's object is a 404 (queries see to it).
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from flask import Blueprint, abort, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from auth import assurance, held_forms, sessions
from auth.death import queries as death
from auth.machines import callers
from auth.practice import queries as practice
from portal import db
from portal.web import errors

F = TypeVar("F", bound=Callable[..., object])

GUARD = "parvis_guard"
SIGNED_IN = "signed-in"
MANDATES = "mandates"
"""The pages that say for whom one may act: open to those who may act for nobody."""
SCOPE_OF_SERVICE = {
    "appointments": "administrative",
    "preadmission": "administrative",
    "billing": "payment",
    "documents": "medical",
    "questionnaires": "medical",
}
_BEYOND = {
    "administrative": _l(
        "You may not act in this person’s administrative matters. The rest of your mandate is intact."
    ),
    "medical": _l("You may not see this person’s medical documents. The rest of your mandate is intact."),
    "payment": _l("You may not see or pay this person’s bills. The rest of your mandate is intact."),
}
_FOR = {
    "patient": _l("It is for patients. Sign out, then sign in with FranceConnect."),
    "professional": _l("It is for health professionals. Sign out, then sign in with Pro Santé Connect."),
    "staff": _l("It is for hospital staff. Sign out, then sign in with ProConnect."),
}
_NO_RIGHT = _l(
    "If an administrator invited you, another one must confirm what you may do. If you had rights before, they were"
    " withdrawn: ask your administrator."
)
DOORS = {"patient": "auth.sign_in", "professional": "auth.sign_in_professional", "staff": "auth.sign_in_staff"}


def public(blueprint: Blueprint) -> Blueprint:
    """Open to everybody."""
    setattr(blueprint, GUARD, "public")
    return blueprint


def patients(blueprint: Blueprint, service: str = "") -> Blueprint:
    """For a signed-in patient, or somebody who may act for one in this service's matter.

    With a service (`auth.assurance.SERVICES`; "account" for one's own file), as well identified as the hospitals ask;
    without one, a password is enough: only for pages that show nothing of anybody's health.
    """
    _guard(blueprint, "patient")
    if blueprint.name != MANDATES:
        blueprint.before_request(_check_somebody)
    if service in assurance.SERVICES:
        blueprint.before_request(partial(_check_assurance, service))
    if scope := SCOPE_OF_SERVICE.get(service):
        blueprint.before_request(partial(_check_scope, scope))
    return blueprint


def signed_in(blueprint: Blueprint) -> Blueprint:
    """For whoever is signed in, whatever they are here for. Their own things only."""
    setattr(blueprint, GUARD, SIGNED_IN)

    @blueprint.before_request
    def check() -> Response | None:
        return to_the_door("patient") if db.current_actor().kind == "anonymous" else None

    return blueprint


def professionals(blueprint: Blueprint, *, at_work: bool = True) -> Blueprint:
    """For a practitioner signed in with Pro Santé Connect, who has said where they work today.

    at_work: False for the very pages where they say so, and where they settle who acts in whose stead.
    """
    _guard(blueprint, "professional")
    if at_work:
        blueprint.before_request(_check_at_work)
    return blueprint


def staff(blueprint: Blueprint, right: str = "") -> Blueprint:
    """For an agent who holds this right at one hospital at least (any right when none is named)."""
    return _guard(blueprint, "staff", right)


def machines(blueprint: Blueprint, *, token: bool = False) -> Blueprint:
    """Called by other systems, which prove themselves in the call; no browser session counts here.

    token: by the pass that a hospital's machine got at `/oauth/token`. Without a good one the answer is 401, over its
    quota 429; `callers.beyond(scope)` answers 403 to a machine that was not let to do something.
    """
    setattr(blueprint, GUARD, "machines")
    if token:
        setattr(blueprint, callers.CALLED_BY_MACHINES, True)
        blueprint.before_request(callers.refusal)
    return blueprint


def patient_id() -> UUID:
    """For whom the signed-in person acts now. Only inside a `patients` blueprint."""
    current = sessions.signed_in()
    if current is None or current.patient_id is None:
        abort(403)
    return current.patient_id


def professional_id() -> UUID:
    """The signed-in practitioner. Only inside a `professionals` blueprint."""
    found = db.current_actor().professional_id
    if found is None:
        abort(403)
    return found


def _check_assurance(service: str) -> Response | None:
    """Whoever is not well enough identified proves a little more, and comes back with what they had typed."""
    current = sessions.signed_in()
    if current is None or sessions.is_watched() or assurance.suffices(current, service):
        return None
    return to_the_proof(service)


def _check_scope(scope: str) -> Response | None:
    """A mandate that does not reach this matter shows nothing of it, and says so."""
    chosen = patient_id()
    if chosen in db.current_actor().people(scope):
        return None
    page = render_template("mandates/beyond.html", text=_BEYOND[scope])
    return make_response(page, 403)


def _check_somebody() -> Response | None:
    """When the right to act for somebody has just ended, nothing more is done, not even for oneself, before it has
    been read: what was typed for a child must not be sent in the mother's name."""
    current = sessions.signed_in()
    if current is None or (current.lost_id is None and current.patient_id is not None):
        return None
    return redirect(url_for(f"{MANDATES}.over" if current.lost_id else f"{MANDATES}.nobody"), 303)


def _check_at_work() -> Response | None:
    """One of several sites is chosen first; and what was to be done in somebody's stead is not done without them."""
    current = sessions.signed_in()
    if current is None:
        abort(403)
    if current.activity is None and len(practice.sites_of(current.account_id)) > 1:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else held_forms.page_of(request)
        return redirect(url_for("practice.sites", next=wanted), 303)
    if request.method == "POST" and db.current_actor().on_behalf_of is None and practice.acted_for(current.session_id):
        flash(_("You may no longer act for this practitioner: nothing was sent."), "warning")
        return redirect(url_for("delegations.overview"), 303)
    return None


def establishments(right: str) -> frozenset[UUID]:
    """Where the signed-in agent holds the right."""
    return db.current_actor().rights.get(right, frozenset())


def of(blueprint: str) -> str:
    """The guard of a blueprint, by its name; "" when there is none of that name."""
    found = current_app.blueprints.get(blueprint)
    return str(getattr(found, GUARD, ""))


def _guard(blueprint: Blueprint, audience: str, right: str = "") -> Blueprint:
    setattr(blueprint, GUARD, f"{audience}:{right}" if right else audience)

    @blueprint.before_request
    def check() -> Response | None:
        actor = db.current_actor()
        if actor.kind == "anonymous":
            return to_the_door(audience)
        if actor.kind != audience:
            return errors.page(403, _l("This page is not for this account"), _FOR[audience])
        if actor.kind == "staff" and not actor.establishments:
            return errors.page(403, _l("You have no right here yet"), _NO_RIGHT)
        if not _holds(actor, right):
            abort(403)
        return None

    return blueprint


def _holds(actor: db.Actor, right: str) -> bool:
    return actor.may(right) if right else True


def to_the_door(audience: str) -> Response:
    """Send the person to sign in, keep what they typed, and come back to the page they wanted."""
    ended = g.get("ended_account_id")
    if ended is not None and audience == "patient" and death.is_closed(ended):
        return redirect(url_for("closed.closed"), 303)
    held_forms.hold()
    return redirect(url_for(DOORS[audience], next=_wanted()), 303)


def to_the_proof(service: str) -> Response:
    """Ask the signed-in person for a second factor, or a better one, keep what they typed, and come back."""
    held_forms.hold()
    return redirect(url_for("verification.prove", next=_wanted(), service=service), 303)


def _wanted() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else held_forms.page_of(request)
