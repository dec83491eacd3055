"""The register of processing of each hospital (GDPR, article 30), made from what the portal does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin import queries_catalogue
from auth import guards
from portal import audit
from portal.catalog.legal import queries
from portal.catalog.legal.processings import REGISTER, Processing
from portal.establishments import Establishment
from portal.web import spreadsheets
from portal.web.processings import kept_for

RIGHT = "administration"
processing_pages = guards.staff(
    Blueprint("admin_processings", __name__, url_prefix="/admin/registre-des-traitements", template_folder="templates"),
    right=RIGHT,
)
SECURITY: Final = _l(
    "Two factors for health data, rights by agent and by hospital, row-level security, files encrypted and scanned,"
    " sealed journal of accesses"
)


@processing_pages.get("")
def hospitals() -> str:
    """One register for each hospital: each answers for its own."""
    return render_template("admin/catalogue/registers.html", hospitals=queries_catalogue.mine())


@processing_pages.get("/<finess>")
def register(finess: str) -> str:
    """What the portal does with data for this hospital."""
    hospital = queries_catalogue.mine_by_finess(finess)
    officer, version = queries.personal_data(hospital.id)
    return render_template(
        "admin/catalogue/register.html", hospital=hospital, officer=officer, version=version, register=REGISTER,
        kept=kept_for(hospital.id),
    )  # fmt: skip


@processing_pages.get("/<finess>/registre.csv")
def as_csv(finess: str) -> Response:
    """The same, to paste into the hospital's own register."""
    hospital = queries_catalogue.mine_by_finess(finess)
    headers = (
        _("Processing"), _("What for"), _("On which basis"), _("About whom"), _("Which data"), _("Who receives it"),
        _("How long"), _("Data controller"), _("Data protection officer"), _("Transfers outside the European Union"),
        _("Security"),
    )  # fmt: skip
    audit.record("register.exported", establishment_id=hospital.id, object_kind="establishment", object_id=hospital.id)
    return spreadsheets.csv_response(f"registre-{hospital.finess}", headers, _rows(hospital))


def _rows(hospital: Establishment) -> list[Sequence[str]]:
    officer, _version = queries.personal_data(hospital.id)
    kept = kept_for(hospital.id)
    return [
        tuple(
            map(str, (
                each.title, each.purpose, each.basis, each.people, each.data, each.recipients, _how_long(each, kept),
                officer.controller or hospital.name, officer.dpo_name, _("None"), SECURITY,
            ))
        )
        for each in REGISTER
    ]  # fmt: skip


def _how_long(each: Processing, kept: Mapping[str, Sequence[tuple[Any, int]]]) -> str:
    rules = kept[each.code]
    said = [
        _("%(what)s: %(days)s", what=words, days=ngettext("%(num)d day", "%(num)d days", days)) for words, days in rules
    ]
    return " · ".join(said) or str(each.kept)
