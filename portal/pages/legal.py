"""The pages that the law asks for, made from data; former versions stay readable."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, Optional

from auth import held_forms
from portal import establishments
from portal.catalog.legal import actions, content, queries
from portal.catalog.legal.models import LegalPage
from portal.catalog.legal.processings import REGISTER
from portal.pages.routes import pages
from portal.pages.services import chosen
from portal.web.forms import EmailAddress, OnceForm, Required
from portal.web.limits import limiter
from portal.web.processings import kept_for
from portal.web.repeated_posts import once

STATUS_WORDS: Mapping[str, Any] = {
    "full": _l("Accessibility: fully compliant"),
    "partly": _l("Accessibility: partially compliant"),
    "not": _l("Accessibility: not compliant"),
}
PLAN_WORDS: Mapping[str, tuple[Any, str]] = {
    "planned": (_l("Planned"), "neutral"),
    "under_way": (_l("Under way"), "info"),
    "done": (_l("Done"), "success"),
    "dropped": (_l("Given up"), "warning"),
}


class AccessibilityReportForm(OnceForm):
    """What somebody could not use."""

    page = StringField(_l("Which page?"), [Length(max=300)], description=_l("Its title or its address, if you know it"))
    words = TextAreaField(
        _l("What could you not do?"), [Required(_l("Tell us what you could not do.")), Length(max=2000)],
        description=_l("Your software or your device if it matters. Nothing about your health."),
    )  # fmt: skip
    email = StringField(
        _l("Where may we answer you?"), [Optional(), Length(max=254), EmailAddress()],
        description=_l("An e-mail address, if you want an answer"),
    )  # fmt: skip


@pages.get("/accessibilite")
def accessibility() -> str:
    """The statement and the yearly plan."""
    said, version = queries.accessibility(_version())
    if _version() and version is None:
        abort(404)
    return render_template(
        "pages/accessibility.html", said=said, version=version, status=STATUS_WORDS[said.status], lines=content.lines,
        plan=_by_year(queries.plan()), plan_words=PLAN_WORDS, versions=queries.versions("accessibility", None),
        is_former=_is_former(version, "accessibility"),
    )  # fmt: skip


@pages.route("/accessibilite/signaler", methods=["GET", "POST"])
@limiter.limit("10 per hour", methods=["POST"])
@once
def report_accessibility() -> str | Response | tuple[str, int]:
    """Tell what cannot be used: no picture to decipher, no account."""
    held = held_forms.take()
    form = AccessibilityReportForm(formdata=held) if held else AccessibilityReportForm()
    if not form.is_submitted() and not held:
        form.page.data = request.args.get("page", "")[:300]
    if form.validate_on_submit():
        words = (form.words.data or "").replace("\x00", "").strip()
        actions.report((form.page.data or "").strip(), words, (form.email.data or "").strip(), str(get_locale()))
        flash(_("Thank you: the hospital has your report, and answers you if you left an address."), "success")
        return redirect(url_for(".accessibility"), 303)
    return render_template("pages/accessibility_report.html", form=form), 422 if form.errors else 200


@pages.get("/mentions-legales")
def legal() -> str:
    """Who publishes, who hosts."""
    said, version = queries.legal(_version())
    if _version() and version is None:
        abort(404)
    return render_template(
        "pages/legal.html", said=said, version=version, establishments=establishments.establishments(),
        versions=queries.versions("legal", None), is_former=_is_former(version, "legal"),
    )  # fmt: skip


@pages.get("/donnees-personnelles")
def personal_data() -> str:
    """What is done with data, service by service, how long it is kept, and who answers for it."""
    places = establishments.establishments()
    hospital = chosen()
    return render_template(
        "pages/personal_data.html",
        establishments=[hospital] if hospital else places,
        hospital=hospital,
        every=places,
        officers=queries.personal_data_everywhere(),
        register=REGISTER,
        kept=kept_for(hospital.id if hospital else None),
    )


def _version() -> int | None:
    asked = request.args.get("version", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else None


def _is_former(version: LegalPage | None, page: str) -> bool:
    if version is None or _version() is None:
        return False
    return version.version != queries.versions(page, None)[0].version


def _by_year(plan: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for each in plan:
        found.setdefault(each.year, []).append(each)
    return found
