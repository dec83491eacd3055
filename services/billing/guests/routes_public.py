"""Paying with the hospital's letter alone. Nobody is signed in: each page looks and acts as the system, for the bills
that this browser has opened and no other (docs/billing-guests.md)."""

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, tries
from portal import db, jobs
from portal.web.limits import limiter
from services.billing.guests import actions, browser, queries
from services.billing.guests.forms import BirthForm, KeyForm
from services.billing.guests.queries import Found

letter_pages = guards.public(
    Blueprint("billing_letters", __name__, url_prefix="/factures/payer", template_folder="templates")
)
Answer = str | Response
_PER_REFERENCE = 6
_PER_RANGE = 60
"""Tries in one hour for one reference, in ten minutes from one address range: a hospital's hall shares one."""


@letter_pages.route("", methods=["GET", "POST"], strict_slashes=False)
@limiter.limit("20 per minute")
def find() -> Answer:
    """What the letter says opens its bill; what is wrong, unknown or closed to guests gets one and the same answer."""
    if request.method == "GET":
        return _page(KeyForm(formdata=None), BirthForm(formdata=None))
    if "bill_reference" in request.form:
        birth = BirthForm()
        return _by_birth(birth) if birth.validate() else _page(KeyForm(formdata=None), birth, 422)
    key = KeyForm()
    return _by_key(key) if key.validate() else _page(key, BirthForm(formdata=None), 422)


def _by_key(form: KeyForm) -> Answer:
    reference, key = form.reference.data or "", form.access_key.data or ""
    found, waiting = _look(reference, lambda: queries.with_key(reference, key))
    if found:
        return _open(reference, found, "key")
    form.form_errors.append(_too_many() if waiting else _wrong_key())
    return _page(form, BirthForm(formdata=None), 429 if waiting else 422)


def _by_birth(form: BirthForm) -> Answer:
    reference, cents, day = form.bill_reference.data or "", form.amount.data, form.birth_on.data
    assert cents is not None, "the form is valid"
    assert day is not None, "the form is valid"
    found, waiting = _look(reference, lambda: queries.with_birth(reference, cents, day))
    if found:
        return _open(reference, found, "birth")
    form.form_errors.append(_too_many() if waiting else _wrong_facts())
    return _page(KeyForm(formdata=None), form, 429 if waiting else 422)


def _look(reference: str, search: Callable[[], Sequence[Found]]) -> tuple[Sequence[Found], bool]:
    """What was found, and whether one must wait. A try is counted before it is looked at, wherever it comes from."""
    try:
        tries.spend(*_counters(reference))
    except tries.TooManyTries:
        _note(reference)
        return (), True
    with db.transaction(db.system(browser.SYSTEM)):
        return search(), False


def _counters(reference: str) -> tuple[tries.Counter, tries.Counter]:
    name = queries.counted_as(reference)
    return (
        tries.of_name(name, "bill", limit=_PER_REFERENCE, window=tries.HOUR),
        tries.of_range(request.remote_addr or "", "bill", limit=_PER_RANGE),
    )


def _note(reference: str) -> None:
    """Once an hour for one reference."""
    try:
        tries.spend(tries.of_name(queries.counted_as(reference), "bill noted", limit=1, window=tries.HOUR))
    except tries.TooManyTries:
        return
    with db.transaction(db.system(browser.SYSTEM)):
        jobs.enqueue("billing.note_refused_keys", reference=reference)


def _open(reference: str, found: Sequence[Found], way: str) -> Response:
    tries.succeed(*_counters(reference))
    with db.transaction(db.system(browser.SYSTEM)):
        secret = actions.open_bills(browser.token(), found, way)
        several = len(queries.opened(secret)) > 1
    here = url_for("billing_guests.bills") if several else url_for("billing_guests.show", bill_id=found[0].bill_id)
    return browser.keep(redirect(here, 303), secret)


def _page(key_form: KeyForm, birth_form: BirthForm, status: int = 200) -> Response:
    with db.transaction(db.system(browser.SYSTEM)):
        by_birth = queries.some_letters_bear_no_key()
    form = birth_form if birth_form.errors else key_form  # whose errors the title and the summary tell
    page = render_template("payers/find.html", form=form, key_form=key_form, birth_form=birth_form, by_birth=by_birth)
    return make_response(page, status)


@letter_pages.post("/quitter")
def leave() -> Response:
    """Forget the letters typed in this browser, on the server too."""
    with db.transaction(db.system(browser.SYSTEM)):
        actions.leave(browser.token())
    flash(_("This device no longer shows your bills."), "success")
    return browser.forget(redirect(url_for(".find"), 303))


def _wrong_key() -> str:
    return str(
        _(
            "We found no bill to pay with this reference and this key. Check both on the letter, or call the hospital"
            " that wrote to you."
        )
    )


def _wrong_facts() -> str:
    return str(
        _(
            "We found no bill to pay with these three answers. Check them on the letter, or call the hospital that"
            " wrote to you."
        )
    )


def _too_many() -> str:
    return str(_("Too many tries. Come back in an hour, or call the hospital that wrote to you."))
