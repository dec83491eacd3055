"""The same directory for practitioners: with their own numbers, and what is not offered to the public."""

from flask import Blueprint
from werkzeug.wrappers import Response

from auth import guards
from services.offer import shown

pages = guards.professionals(
    Blueprint("pro_offer", __name__, url_prefix="/pro/offre-de-soins", template_folder="templates")
)


@pages.get("")
def search() -> str:
    """Units by words, speciality, place, access, language and age."""
    return shown.search("professional")


@pages.get("/<any(etablissements,sites,unites,activites,praticiens):kind>/<slug>")
def show(kind: str, slug: str) -> str | Response:
    """A hospital, a site, a unit, an activity or a practitioner."""
    return shown.page(kind, slug, "professional")
