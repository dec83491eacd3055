"""Legal pages made from data: accessibility statement, legal notice, who answers for data; and their versions."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from admin import queries_catalogue
from admin.forms_legal import LegalForm, PersonalDataForm, accessibility_form
from auth import guards, held_forms
from portal.catalog import queries as catalog_queries
from portal.catalog.legal import actions, queries

RIGHT = "administration"
legal_pages = guards.staff(
    Blueprint("admin_legal", __name__, url_prefix="/admin/pages-legales", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
TITLES = {
    "accessibility": _l("Accessibility statement"),
    "legal": _l("Legal notice"),
    "personal-data": _l("Personal data"),
}


@legal_pages.get("")
def overview() -> str:
    """What is published, since when, and what is missing."""
    hospitals = queries_catalogue.mine()
    statement, version = queries.accessibility()
    notice, notice_version = queries.legal()
    return render_template(
        "admin/catalogue/legal.html", hospitals=hospitals, statement=statement, version=version, notice=notice,
        notice_version=notice_version, officers=queries.personal_data_everywhere(), waiting=queries.waiting(),
        group=catalog_queries.administers_all(),
    )  # fmt: skip


@legal_pages.route("/accessibilite", methods=["GET", "POST"])
def accessibility() -> Answer:
    """The statement: rate, what does not comply, contact."""
    _speak_for_the_group()
    known, _version = queries.accessibility()
    held = held_forms.take()
    return _edit("accessibility", accessibility_form(known, **({"formdata": held} if held else {})))


@legal_pages.route("/mentions", methods=["GET", "POST"])
def legal() -> Answer:
    """Who publishes, who hosts."""
    _speak_for_the_group()
    known, _version = queries.legal()
    held = held_forms.take()
    return _edit("legal", LegalForm(formdata=held) if held else LegalForm(data=vars(known)))


@legal_pages.route("/donnees/<finess>", methods=["GET", "POST"])
def personal_data(finess: str) -> Answer:
    """Who answers for data at one hospital."""
    hospital = queries_catalogue.mine_by_finess(finess)
    known, _version = queries.personal_data(hospital.id)
    held = held_forms.take()
    form = PersonalDataForm(formdata=held) if held else PersonalDataForm(data=vars(known))
    return _edit("personal-data", form, hospital)


def _edit(page: str, form: Any, hospital: Any = None) -> Answer:
    place = hospital.id if hospital else None
    if form.validate_on_submit():
        made = actions.publish(page, place, form.content)
        flash(_("Published: this is version %(number)d.", number=made.version), "success")
        return redirect(url_for(".overview"), 303)
    shown = render_template(
        "admin/catalogue/legal_page.html", form=form, page=page, title=TITLES[page], hospital=hospital,
        versions=queries.versions(page, place),
    )  # fmt: skip
    return shown, 422 if form.errors else 200


def _speak_for_the_group() -> None:
    if not catalog_queries.administers_all():
        abort(403)
