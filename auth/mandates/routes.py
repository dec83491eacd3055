"""My account: those I act for, those who act for me, requests, codes, and the way from one person to another."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms, sessions, tries
from auth import queries as people
from auth.mandates import actions, ages, queries, wording
from auth.mandates.actions import CODE_LIFE, Offer
from auth.mandates.facts import CodeRefused, MeasureOver, NotAMinor, NotPossible, TooLong, TooManyRequests
from auth.mandates.forms import CodeForm, DesignateForm, RenewForm, RequestForm, YesForm
from auth.mandates.models import Mandate
from auth.mandates.states import TransitionRefused
from auth.models import Patient
from auth.sessions import SignedIn
from auth.tries import TooManyTries
from portal import calendar, db, establishments
from portal.db import session
from portal.web.forms import Form
from portal.web.repeated_posts import once

pages = guards.patients(
    Blueprint(guards.MANDATES, __name__, url_prefix="/mon-compte/mandats", template_folder="templates"), "account"
)
Answer = str | Response | tuple[str, int]
_CODE = "mandate_code"


@pages.get("")
def overview() -> str:
    """Both directions on one page, what is under way and what is over."""
    own_id = _me().own_id
    own = session.get(Patient, own_id) if own_id else None
    return render_template(
        "mandates/overview.html",
        people=people.people(),
        mandates={each.patient_id: each for each in queries.those_i_act_for()},
        requests=queries.my_requests(),
        just_over=queries.just_over(),
        past=queries.my_past(),
        acting=queries.those_who_act_for(own_id) if own_id else (),
        past_of_me=queries.past_of(own_id) if own_id else (),
        is_adult=own is not None and ages.majority_on(own.birth_on) <= _today(),
        words=wording,
    )


# -- from one person to another --------------------------------------------------------------------------------------


@pages.get("/agir")
def choose() -> str:
    """For whom to act now."""
    return render_template("mandates/choose.html", people=people.people(), current=_me(), words=wording)


@pages.post("/agir")
def act_for() -> Response:
    try:
        sessions.act_for(UUID(request.form.get("patient_id", "")))
    except (LookupError, ValueError):
        abort(404)
    return redirect(url_for("pages.home"), 303)


@pages.post("/moi-meme")
def back_to_myself() -> Response:
    """Act for oneself again."""
    own_id = _me().own_id
    if own_id is None:
        return redirect(url_for(".nobody"), 303)
    sessions.act_for(own_id)
    flash(_("You are acting for yourself again."), "success")
    return redirect(url_for("pages.home"), 303)


@pages.get("/terminee")
def over() -> Response:
    """The right to act for the chosen person has ended, in the middle of what one was doing."""
    lost_id = _me().lost_id
    if lost_id is None:
        return redirect(url_for(".overview"))
    mandate = queries.over_for(lost_id)
    page = render_template("mandates/over.html", mandate=mandate, own_id=_me().own_id, words=wording)
    return make_response(page, 403)


@pages.get("/personne")
def nobody() -> str | Response:
    """This account may act for nobody, not even for its holder."""
    if _me().patient_id is not None and _me().lost_id is None:
        return redirect(url_for(".overview"))
    return render_template("mandates/nobody.html", hospitals=establishments.establishments())


# -- asking ----------------------------------------------------------------------------------------------------------


@pages.route("/enfant", methods=["GET", "POST"])
@once
def ask_for_child() -> Answer:
    """A parent asks to act for their minor child."""
    return _ask(("parent",), "mandates/child.html")


@pages.route("/majeur-protege", methods=["GET", "POST"])
@once
def ask_for_adult() -> Answer:
    """A guardian or a curator asks to act for a protected adult."""
    return _ask(("guardian", "curator"), "mandates/adult.html")


def _ask(kinds: tuple[str, ...], template: str) -> Answer:
    form = RequestForm(formdata=held) if (held := held_forms.take()) else RequestForm()
    form.offer(kinds, [(str(each.id), each.name) for each in establishments.establishments()])
    if request.method == "POST":
        proof = form.take_upload()  # first: it is kept even when something else is wrong
        file_errors = list(form.file.errors)
        valid = form.validate()
        form.file.errors = [*form.file.errors, *file_errors]
        if valid and proof is not None:
            if refused := _refusal(lambda: actions.request(form.asked(proof))):
                form.birth_on.errors = [refused]
            else:
                flash(_("Your request is sent. The hospital checks your proof and tells you by e-mail."), "success")
                return redirect(url_for(".overview"), 303)
    page = render_template(template, form=form)
    return page, 422 if form.errors or form.file.errors else 200


def _refusal(ask: Callable[[], object]) -> str:
    """Do it; why not, in the person's words."""
    try:
        ask()
    except NotAMinor:
        return str(_("This person is of age: a parent no longer acts for them. They can designate you themselves."))
    except MeasureOver:
        return str(_("This day is past: bring the renewed judgement."))
    except TooManyRequests:
        return str(_("You have several requests waiting already: wait for their answers, or withdraw one."))
    except TooLong:
        return str(_("One year at most: choose an earlier day."))
    return ""


# -- an adult's carer ------------------------------------------------------------------------------------------------


@pages.route("/designer", methods=["GET", "POST"])
@once
def designate() -> Answer:
    """Let somebody act for me: who, how far, until when."""
    own_id = _me().own_id or abort(404)
    form = DesignateForm(formdata=held) if (held := held_forms.take()) else DesignateForm()
    if form.validate_on_submit():
        assert form.ends_on.data is not None, "the form is valid"
        made: list[str] = []
        ends_on = form.ends_on.data
        try:
            refused = _refusal(
                lambda: made.append(
                    actions.offer(own_id, form.carer_name.data or "", form.scopes.data or (), ends_on)[1]
                )
            )
        except NotPossible:
            abort(404)
        if not refused:
            cookie[_CODE] = made[0]
            return redirect(url_for(".given_code"), 303)
        form.ends_on.errors = [refused]
    return render_template("mandates/designate.html", form=form), 422 if form.errors else 200


@pages.get("/designer/code")
def given_code() -> str:
    """The code just made, once: it is kept nowhere."""
    code = cookie.pop(_CODE, None)
    link = url_for(".use_code", _external=True)
    return render_template(
        "mandates/code.html", code=f"{code[:5]} {code[5:]}" if code else "", link=link, life=CODE_LIFE
    )


@pages.route("/code", methods=["GET", "POST"])
def use_code() -> Answer:
    """A carer types the code they were given, and reads what it opens before saying yes."""
    form = CodeForm(formdata=held) if (held := held_forms.take()) else CodeForm()
    found: Offer | None = None
    if form.validate_on_submit():
        found = _offered(form)
    if found is not None:
        fresh = CodeForm(formdata=None, code=form.code.data)
        return render_template("mandates/accept.html", form=fresh, offer=found, words=wording)
    return render_template("mandates/use_code.html", form=form), 422 if form.errors else 200


@pages.post("/code/accepter")
@once
def accept() -> Answer:
    form = CodeForm()
    if form.validate() and _offered(form) is not None:
        mandate_id = actions.accept(form.code.data or "")
        flash(_("You may now act for this person."), "success")
        return redirect(url_for(".show", mandate_id=mandate_id), 303)
    return render_template("mandates/use_code.html", form=form), 422


def _offered(form: CodeForm) -> Offer | None:
    """What the code opens; None with the reason among the errors. Each try is counted before it is looked at."""
    counter = tries.of_account(_me().account_id, "mandate code", limit=10)
    try:
        tries.spend(counter)
        found = actions.offered(form.code.data or "")
        tries.succeed(counter)
        return found
    except TooManyTries:
        form.code.errors = [_("Too many attempts: wait ten minutes, and ask for a new code if needed.")]
    except CodeRefused:
        form.code.errors = [
            _(
                "This code does not open anything for you. Check it, check that it was made in your family name, or ask"
                " for a new one: a code serves once, within 7 days."
            )
        ]
    return None


@pages.route("/<uuid:mandate_id>/prolonger", methods=["GET", "POST"])
@once
def renew(mandate_id: UUID) -> Answer:
    """The adult lets their carer go on."""
    mandate = _one(mandate_id)
    if mandate.kind != "carer" or not mandate.is_active or mandate.patient_id != _me().own_id:
        abort(404)
    form = RenewForm()
    if form.validate_on_submit():
        assert form.ends_on.data is not None, "the form is valid"
        ends_on = form.ends_on.data
        if not (refused := _refusal(lambda: actions.renew(mandate, ends_on))):
            flash(_("Renewed: both of you are told."), "success")
            return redirect(url_for(".overview"), 303)
        form.ends_on.errors = [refused]
    return render_template("mandates/renew.html", form=form, mandate=mandate), 422 if form.errors else 200


# -- one mandate -----------------------------------------------------------------------------------------------------


@pages.get("/<uuid:mandate_id>")
def show(mandate_id: UUID) -> str:
    """One mandate: what it covers, until when, what became of it, what to do."""
    mandate = _one(mandate_id)
    return render_template(
        "mandates/show.html",
        mandate=mandate,
        changes=queries.changes(mandate),
        i_act=mandate.account_id == _me().account_id,
        may_sign_in=_may_sign_in(mandate),
        words=wording,
    )


@pages.route("/<uuid:mandate_id>/arreter", methods=["GET", "POST"])
@once
def stop(mandate_id: UUID) -> Answer:
    """Sure? Then it ends at once, in every open window."""
    mandate = _one(mandate_id)
    i_act = mandate.account_id == _me().account_id
    if mandate.state not in ("requested", "offered", "active"):
        return redirect(url_for(".show", mandate_id=mandate_id), 303)
    if not i_act and mandate.kind != "carer":  # a judge or the law decided it, not the person
        abort(404)
    form = YesForm()
    if form.validate_on_submit():
        try:
            _stop(mandate, i_act)
        except TransitionRefused:
            flash(_("It had ended already."), "info")
        else:
            flash(_("Done. Both of you are told."), "success")
        return redirect(url_for(".overview"), 303)
    return render_template("mandates/stop.html", form=form, mandate=mandate, i_act=i_act, words=wording), _status(form)


def _stop(mandate: Mandate, i_act: bool) -> None:
    if mandate.state != "active":
        actions.withdraw(mandate)
    elif i_act:
        actions.give_up(mandate)
    else:
        actions.revoke(mandate)


def _status(form: Form) -> int:
    return 422 if form.errors else 200


def _may_sign_in(mandate: Mandate) -> bool:
    """Whether the child of this parent is old enough to sign in alone."""
    if mandate.kind != "parent" or not mandate.is_active or mandate.patient_id is None:
        return False
    child = session.get(Patient, mandate.patient_id)
    return child is not None and ages.reaches(child.birth_on, ages.MAY_SIGN_IN) <= _today()


def _today() -> date:
    return calendar.civil_day(db.now(), calendar.GROUP_ZONE)


def _one(mandate_id: UUID) -> Mandate:
    return queries.one_of_mine(mandate_id, _me().own_id) or abort(404)


def _me() -> SignedIn:
    return sessions.signed_in() or abort(403)
