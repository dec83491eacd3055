"""The national directory for practitioners: who works where, and how to write to them."""

from flask import Blueprint, abort, render_template

from auth import guards
from services.directory import queries, wording
from services.directory.forms import SearchForm, page_number

pages = guards.professionals(Blueprint("directory", __name__, url_prefix="/pro/annuaire", template_folder="templates"))


@pages.get("")
def search() -> str | tuple[str, int]:
    """Look for somebody."""
    form = SearchForm.asked()
    found = form.found()
    page = render_template("directory/search.html", form=form, found=found, page=page_number(), wording=wording)
    return (page, 422) if form.errors else page


@pages.get("/<string(minlength=5,maxlength=32):identity>")
def person(identity: str) -> str:
    """Somebody: where they work, their boxes."""
    found = queries.person(identity) or abort(404)
    return render_template("directory/person.html", person=found, wording=wording)
