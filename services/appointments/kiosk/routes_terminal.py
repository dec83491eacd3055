"""The terminal of a hall: one scans, proves one's birthday, and is told where to go. Nobody is signed in there.

Each page comes back to the first one by itself and forgets; no page leads anywhere else. What fails says: the desk.
"""

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from auth import guards, tries
from auth.tries import TooManyTries
from portal import db
from portal.web.i18n import remembered
from portal.web.limits import limiter
from portal.web.security import cookie_name
from services.appointments.kiosk import actions, missing, queries, rules
from services.appointments.kiosk.actions import NotThatCode
from services.appointments.kiosk.forms import ActivationForm, BirthForm, CodeForm
from services.appointments.kiosk.models import Kiosk
from services.appointments.kiosk.wording import ANSWERS
from services.appointments.models import Appointment

pages = guards.public(Blueprint("kiosk", __name__, url_prefix="/borne", template_folder="templates"))
log = get_logger(__name__)
COOKIE = "parvis_borne"
BACK_AFTER_S = 45
"""Without a gesture, a page with something on it gives way to the first one."""
_ALIVE_EVERY_S = 120
_RETRY_AFTER_S = 20
_JOB = "appointments.kiosk"
_YEAR_S = 31_536_000
_FIRST_LANGUAGE = "fr"
Answer = Response | str | tuple[str, int]


@pages.before_request
def _recognise() -> Response | None:
    """Whatever browser shows no good token may only be put in service."""
    if request.endpoint in ("kiosk.activation", "kiosk.activate"):
        return None
    with db.transaction(db.system(_JOB)):
        kiosk = queries.by_token(request.cookies.get(cookie_name(COOKIE), ""))
        if kiosk is not None and not current_app.config["SETTINGS"].read_only:
            actions.note_seen(kiosk, db.now())
    if kiosk is None:
        return redirect(url_for(".activation"), 303)
    g.kiosk = kiosk
    return None


@pages.after_request
def _shut_in(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    if (back_after := g.get("back_after")) is not None:
        response.headers["Refresh"] = f"{back_after};url={url_for('.start', lang=_FIRST_LANGUAGE)}"
    return response


@pages.errorhandler(Exception)
def _out_of_order(error: Exception) -> Response:
    """Whatever breaks, the person is sent to the desk and the terminal tries again."""
    code = (error.code or 500) if isinstance(error, HTTPException) else 503
    if isinstance(error, SQLAlchemyError):
        g.database_away = True  # the page must not wait for it again
    if code >= 500:
        log.error("kiosk.out_of_order", error=type(error).__name__, endpoint=request.endpoint)
    with force_locale(_FIRST_LANGUAGE) if g.get("database_away") else force_locale(_language()):
        g.back_after = _RETRY_AFTER_S
        page = render_template("kiosk/trouble.html")
    return make_response(page, code)


@pages.errorhandler(CSRFError)
@pages.errorhandler(413)
def _again(_error: Exception) -> Response:
    """A form of before the browser was closed, or not a form of ours: one begins again."""
    return redirect(url_for(".start"), 303)


def _language() -> str:
    return remembered() or _FIRST_LANGUAGE


@pages.get("")
def start() -> Answer:
    """The first screen: a language, and the code."""
    return _start(CodeForm(formdata=None))


@pages.get("/rendez-vous")
@pages.get("/arrivee")
def begin_again() -> Answer:
    """A browser that was closed, and comes back to a page that was posted: one begins again."""
    return redirect(url_for(".start"), 303)


@pages.post("/rendez-vous")
def show() -> Answer:
    """A code was scanned: whose is it? Nothing of the appointment is said yet."""
    form = CodeForm()
    if not form.validate():
        return _start(form), 422
    kiosk = _kiosk()
    if _appointment(kiosk, form.code.data or "") is None:
        try:
            tries.spend(actions.of_terminal(kiosk))
        except TooManyTries:
            return _too_many()
        form.code.errors = [_("We do not find this appointment. Try again, or go to the desk.")]
        return _start(form), 422
    return _birth(BirthForm(formdata=None, code=form.code.data))


@pages.post("/arrivee")
def arrive() -> Answer:
    """Day and month of birth: then, and then only, what the hospital expects is said."""
    kiosk, form = _kiosk(), BirthForm()
    form.offer()
    if not form.validate():
        return _birth(form), 422
    appointment = _appointment(kiosk, form.code.data or "")
    if appointment is None:
        return redirect(url_for(".start"), 303)
    try:
        if not actions.prove(kiosk, appointment, int(form.day.data), int(form.month.data)):
            form.month.errors = [_("This is not the birthday that we know. Try again, or go to the desk.")]
            return _birth(form), 422
    except TooManyTries:
        return _too_many()
    return _answered(kiosk, form.code.data or "")


def _answered(kiosk: Kiosk, code: str) -> Answer:
    with db.transaction(db.system(_JOB)):
        appointment = queries.shown(code, kiosk.establishment_id)
        if appointment is None:
            return redirect(url_for(".start"), 303)
        verdict = actions.answer(kiosk, appointment, db.now())
        is_there = verdict in (rules.WELCOME, "already")
        unfinished = (
            missing.of(appointment.patient_id, kiosk.establishment_id, appointment.local_day) if is_there else ()
        )
        g.back_after = BACK_AFTER_S
        return render_template(
            "kiosk/answer.html",
            answer=ANSWERS[verdict],
            verdict=verdict,
            appointment=appointment,
            unfinished=unfinished,
            kiosk=kiosk,
            back_after=BACK_AFTER_S,
        )


@pages.get("/activer")
def activation() -> Answer:
    """Where an agent types the code of the terminal."""
    return render_template("kiosk/activation.html", form=ActivationForm(formdata=None))


@pages.post("/activer")
@limiter.limit("30 per hour")
def activate() -> Answer:
    form = ActivationForm()
    if form.validate():
        try:
            tries.spend(tries.of_range(request.remote_addr or "", "kiosk code", limit=30))
            with db.transaction(db.system(_JOB)):
                token = actions.activate(form.code.data or "", db.now())
        except TooManyTries:
            form.code.errors = [_("Too many attempts: wait ten minutes")]
        except NotThatCode:
            form.code.errors = [_("No terminal waits for this code: ask for another one")]
        else:
            return _let_in(token)
    return render_template("kiosk/activation.html", form=form), 422


def _let_in(token: str) -> Response:
    response = redirect(url_for(".start", lang=_FIRST_LANGUAGE), 303)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        cookie_name(COOKIE), token, max_age=_YEAR_S, httponly=True, secure=secure, samesite="Strict", path="/"
    )
    return response


def _kiosk() -> Kiosk:
    found: Kiosk = g.kiosk
    return found


def _appointment(kiosk: Kiosk, code: str) -> Appointment | None:
    with db.transaction(db.system(_JOB)):
        return queries.shown(code, kiosk.establishment_id)


def _start(form: CodeForm) -> str:
    g.back_after = _ALIVE_EVERY_S if not form.errors else BACK_AFTER_S
    return render_template("kiosk/start.html", form=form, kiosk=_kiosk())


def _birth(form: BirthForm) -> str:
    form.offer()
    g.back_after = BACK_AFTER_S
    return render_template("kiosk/birth.html", form=form, kiosk=_kiosk(), back_after=BACK_AFTER_S)


def _too_many() -> tuple[str, int]:
    g.back_after = BACK_AFTER_S
    return render_template("kiosk/too_many.html", kiosk=_kiosk()), 429
