"""Where one waits: at the door of the pages that look for free times, whoever one is."""

from datetime import timedelta

import structlog
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from limits import parse
from werkzeug.wrappers import Response as AnyResponse

from auth import guards
from auth.addresses import inside
from portal import db, establishments, reading_only
from portal.web.limits import limiter, visitor
from portal.web.security import cookie_name
from services.appointments import routes_public
from services.appointments.pathways import routes_public as pathways
from services.appointments.rush import actions, queries, tickets

log = structlog.get_logger()
pages = guards.public(
    Blueprint("rush", __name__, url_prefix="/rendez-vous/salle-d-attente", template_folder="templates")
)
COOKIE = "parvis_turn"
_BEHIND_IT = frozenset({"appointments.choose_slot", "pathways.choose_time"})
_SHORT = timedelta(seconds=2)
"""Nobody is shown a waiting room for less."""
_LONGEST_S = 20
PER_VISITOR = parse("300/minute")
"""New turns for one address: a hall or a mobile network, not somebody without cookies who takes everybody's."""
_TICKET = "parvis.turn"


@routes_public.pages.before_request
@pathways.pages.before_request
def wait_for_ones_turn() -> AnyResponse | None:
    """Let in whoever has their turn; give one to whoever has none."""
    if request.endpoint not in _BEHIND_IT or request.method != "GET":
        return None
    if reading_only.is_on():  # a turn is a row, and nobody books
        return None
    now = db.now()
    if (turn := tickets.read(request.cookies.get(_name(), ""), now)) is not None:
        return None if turn <= now + _SHORT else _to_the_waiting_room()
    return _arrive()


def _arrive() -> AnyResponse | None:
    """A transaction of its own, as short as can be: everybody who comes meets in one row."""
    if not _may_take_a_turn():
        return _crowd()
    now = db.now()
    with db.transaction(db.system("waiting room")):
        turn = actions.take_turn(now)
        if turn > now + _SHORT:
            actions.count_wait()
    if turn > now + _SHORT:
        return _keep(_to_the_waiting_room(), tickets.written(turn))
    request.environ[_TICKET] = tickets.written(turn)
    return None


@routes_public.pages.after_request
@pathways.pages.after_request
def remember(response: Response) -> Response:
    """Those who came in at once need no new turn for a while."""
    ticket = request.environ.get(_TICKET)
    if ticket and response.status_code < 400:
        _keep(response, ticket)
    return response


def _may_take_a_turn() -> bool:
    """Nobody is kept out because what counts visits is away."""
    try:
        return not limiter.enabled or limiter.limiter.hit(PER_VISITOR, "waiting-room", visitor())
    except Exception as error:  # Redis's or the database's: each has its own
        log.warning("limits.away", error=type(error).__name__)
        return True


def _crowd() -> AnyResponse:
    """So many come from one address that somebody may be taking everybody's turns: they are asked to come again."""
    page = render_template(
        "rush/crowd.html", next=request.full_path.rstrip("?"), hospitals=establishments.establishments()
    )
    response = make_response(page, 429)
    response.headers["Refresh"] = response.headers["Retry-After"] = str(_LONGEST_S)
    return response


def _to_the_waiting_room() -> AnyResponse:
    return redirect(url_for("rush.wait", next=request.full_path.rstrip("?")), 303)


def _name() -> str:
    return cookie_name(COOKIE)


def _keep(response: AnyResponse, ticket: str) -> AnyResponse:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    life = tickets.GOOD_FOR + timedelta(hours=2)
    response.set_cookie(_name(), ticket, max_age=life, httponly=True, secure=secure, samesite="Lax", path="/")
    return response


@pages.get("")
def wait() -> AnyResponse:
    """One's place, and the way in when one's turn has come. The page comes back by itself, and may be left."""
    now, wanted = db.now(), inside(request.args.get("next", "")) or url_for("appointments.choose")
    turn = tickets.read(request.cookies.get(_name(), ""), now)
    if turn is None and _name() not in request.cookies and queries.room().waiting(now):
        hospitals = establishments.establishments()
        return make_response(render_template("rush/no_cookie.html", next=wanted, hospitals=hospitals))
    if turn is None or turn <= now + _SHORT:
        return redirect(wanted, 303)
    left_s = int((turn - now).total_seconds())
    before = max(1, round(left_s / 60 * queries.room().per_minute))
    hospitals = establishments.establishments()
    page = render_template("rush/wait.html", minutes=-(-left_s // 60), before=before, next=wanted, hospitals=hospitals)
    response = make_response(page)
    response.headers["Refresh"] = str(min(left_s + 1, _LONGEST_S))
    return response
