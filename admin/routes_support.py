"""Support mode: find the person, say why, type their code, see their screens; and what auditors read of it."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request
from flask import url_for as address
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import queries_figures
from admin.forms_support import ALONE_KINDS, KINDS, AskForm, CodeForm
from auth import guards, tries
from auth.agents.administrators import as_the_system
from auth.support import actions, frame, queries, screens
from auth.support.actions import NoAccount, NotAsked, NotOfThisHospital, OwnScreens, WrongCode
from auth.support.models import SupportSession
from auth.tries import TooManyTries
from portal import audit, db
from portal.establishments import Establishment
from portal.web import errors
from portal.web.repeated_posts import once
from services.appointments.forms import FindPatientForm
from services.appointments.queries import find_patients, known_patient

support_pages = guards.staff(
    Blueprint("admin_support", __name__, url_prefix="/admin/assistance", template_folder="templates"), right="support"
)
register_pages = guards.staff(
    Blueprint("admin_support_register", __name__, url_prefix="/admin/assistance/registre", template_folder="templates"),
    right="audit",
)
Answer = AnyResponse | tuple[str, int] | str
_ASKED, _WINDOW = 12, timedelta(hours=1)
"""Looks that one agent may ask for in an hour."""
_LAST_PAGE = 10_000


@support_pages.route("", methods=["GET", "POST"])
def find_patient() -> str | tuple[str, int]:
    """Find the person. A post, so that names stay out of addresses and logs."""
    hospitals = _hospitals()
    form = FindPatientForm()
    form.offer({str(each.id): each.name for each in hospitals})
    found, establishment_id = None, None
    if form.validate_on_submit():
        establishment_id = UUID(form.establishment.data)
        found = find_patients(
            establishment_id,
            ipp=(form.ipp.data or "").strip(),
            birth_name=form.birth_name.data or "",
            birth_on=form.birth_on.data,
        )
    page = render_template(
        "admin/support/find_patient.html",
        form=form,
        found=found,
        establishment_id=establishment_id,
        current=queries.my_current_ones(),
        now=db.now(),
        is_auditor=db.current_actor().may("audit"),
    )
    return page, 422 if form.errors else 200


@support_pages.route("/demander/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
@once
def ask(establishment_id: UUID, patient_id: UUID) -> Answer:
    """Say why, and whether the person is on the phone."""
    hospital = next((each for each in _hospitals() if each.id == establishment_id), None) or abort(404)
    patient = known_patient(patient_id, [hospital.id]) or abort(404)
    form = AskForm()
    if form.validate_on_submit():
        try:
            _count_the_question()
            asked = actions.ask(hospital.id, patient.id, form.why)
        except TooManyTries:
            return errors.page(429, text=_("You have asked to see too many screens this hour. Wait a little."))
        except NotOfThisHospital:
            abort(404)
        except NoAccount:
            form.kind.errors = [_("This person has no account on the portal: there are no screens to see.")]
        except OwnScreens:
            form.kind.errors = [_("This seems to be your own account. Sign in as yourself to see your screens.")]
        else:
            return redirect(address(".show", session_id=asked.id), 303)
    page = render_template("admin/support/ask.html", form=form, patient=patient, hospital=hospital)
    return page, 422 if form.errors else 200


@support_pages.route("/<uuid:session_id>", methods=["GET", "POST"])
def show(session_id: UUID) -> Answer:
    """Where it stands: the code to type, the way to the screens, or that it is over."""
    one = queries.mine(session_id) or abort(404)
    form = CodeForm()
    if one.state(db.now()) == "asked" and form.validate_on_submit() and _is_opened(one, form):
        return redirect(address(".first_screen", session_id=one.id), 303)
    page = render_template(
        "admin/support/show.html",
        form=form,
        one=one,
        state=one.state(db.now()),
        kinds=KINDS,
        minutes=queries.minutes_left(one),
        code_life=int(actions.CODE_LIFE.total_seconds() // 60),
    )
    return page, 422 if form.errors else 200


@support_pages.get("/<uuid:session_id>/ecrans/")
def first_screen(session_id: UUID) -> Answer:
    """The person's home page."""
    return _seen(session_id, "/")


@support_pages.get("/<uuid:session_id>/ecrans/<path:path>")
def screen(session_id: UUID, path: str) -> Answer:
    """One of the person's pages; another address than the person's own, so that nothing is mixed."""
    return _seen(session_id, f"/{path}")


@support_pages.post("/<uuid:session_id>/terminer")
def end(session_id: UUID) -> AnyResponse:
    """Enough was seen."""
    actions.end(queries.mine(session_id) or abort(404))
    flash(_("You no longer see this person’s screens."), "success")
    return redirect(address(".find_patient"), 303)


@register_pages.get("")
def register() -> str:
    """Who looked at whose screens, why, for how long; `sans-la-personne` keeps those made without the person."""
    alone = bool(request.args.get("sans-la-personne"))
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.register(guards.establishments("audit"), page, alone=alone)
    audit.record("support_register.opened")
    return render_template(
        "admin/support/register.html",
        looks=found[: queries.PAGE_SIZE],
        has_more=len(found) > queries.PAGE_SIZE and page < _LAST_PAGE,
        page=page,
        alone=alone,
        kinds=KINDS,
        alone_kinds=ALONE_KINDS,
        now=db.now(),
    )


def _hospitals() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("support")))


def _count_the_question() -> None:
    me = db.current_actor().account_id
    if me is not None:
        tries.spend(tries.of_account(me, "support", _ASKED, _WINDOW))


def _is_opened(one: SupportSession, form: CodeForm) -> bool:
    try:
        with db.transaction(db.system("support.count_try")):
            counted = actions.count_try(one.id)
        actions.open_with_code(one, form.code.data or "", counted)
    except NotAsked:
        form.code.errors = [_("This code no longer serves. Ask again.")]
    except WrongCode as wrong:
        with db.transaction(db.system("support.refuse_code")):
            actions.refuse_code(counted)
        form.code.errors = [
            _("This is not the code. Ask the person to read it again.")
            if wrong.left
            else _("This is not the code, and it no longer serves. Ask again.")
        ]
    else:
        return True
    return False


def _seen(session_id: UUID, path: str) -> Answer:
    """What the agent gets of a page, with its line in the journal."""
    one = queries.mine(session_id) or abort(404)
    if one.state(db.now()) != "open":
        return redirect(address(".show", session_id=one.id), 303)
    endpoint = screens.endpoint_of(screens.application(), path)
    actions.look(one, endpoint or "none")
    with as_the_system("support.look"):
        whose = screens.watched(one)
    one = queries.mine(session_id) or abort(404)
    if whose is None:
        return _not_shown(one)
    found = screens.screen(path, request.query_string.decode("latin-1"), whose)
    if found.moved_to:
        if found.moved_to != path and (to := _leads(one.id, found.moved_to)):
            return redirect(to, 303)
        return _not_shown(one)
    return _framed(one, found.html) if found.html else _not_shown(one)


def _framed(one: SupportSession, page: str) -> Response:
    banner = render_template("admin/support/_banner.html", one=one, minutes=queries.minutes_left(one))
    response: Response = make_response(frame.reframe(page, banner, lambda href: _leads(one.id, href)))
    response.headers["Refresh"] = str(60 * queries.minutes_left(one))
    response.headers["Content-Security-Policy"] = _POLICY
    return response


_POLICY = (
    "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""No script at all."""


def _leads(session_id: UUID, href: str) -> str:
    """The agent's address of a page of the person's; "" when it may not be seen."""
    parts = urlsplit(href)
    here = screens.application()
    path = screens.behind_card(here, parts.path)
    if parts.scheme or parts.netloc or not screens.endpoint_of(here, path):
        return ""
    base = address(".first_screen", session_id=session_id)
    whole = f"{base}{path.lstrip('/')}"
    whole += f"?{parts.query}" if parts.query else ""
    return f"{whole}#{parts.fragment}" if parts.fragment else whole


def _not_shown(one: SupportSession) -> str:
    """A page like another, and not a 404: what the agent asked for stays in the journal."""
    return render_template("admin/support/not_shown.html", one=one, minutes=queries.minutes_left(one))
