"""The national directory for the staff: who works where, how to write to them, and what each day's files brought."""

from uuid import UUID

from flask import Blueprint, abort, render_template, url_for

from auth import guards
from services.directory import queries, reports, wording
from services.directory.forms import SearchForm, page_number

pages = guards.staff(
    Blueprint("admin_directory", __name__, url_prefix="/admin/annuaire", template_folder="templates"),
    right="documents",
)


@pages.get("")
def search() -> str | tuple[str, int]:
    """Look for somebody."""
    form = SearchForm.asked()
    found = form.found()
    page = render_template(
        "admin/directory/search.html",
        form=form,
        found=found,
        page=page_number(),
        last=reports.last_done(),
        wording=wording,
    )
    return (page, 422) if form.errors else page


@pages.get("/<string(minlength=5,maxlength=32):identity>")
def person(identity: str) -> str:
    """Somebody: where they work, their boxes."""
    found = queries.person(identity) or abort(404)
    return render_template("admin/directory/person.html", person=found, wording=wording, link_to_write=_to_write)


@pages.get("/structures/<string(minlength=3,maxlength=40):structure>")
def structure(structure: str) -> str:
    """The boxes of an organisation."""
    boxes = queries.boxes_at(structure) or abort(404)
    return render_template("admin/directory/structure.html", boxes=boxes, wording=wording, link_to_write=_to_write)


@pages.get("/imports")
def imports() -> str:
    """What each file brought, newest first."""
    page = page_number()
    found = reports.imports(page)
    return render_template(
        "admin/directory/imports.html",
        imports=found[: reports.PAGE_SIZE],
        has_next=len(found) > reports.PAGE_SIZE,
        page=page,
        wording=wording,
    )


@pages.get("/imports/<uuid:import_id>")
def show(import_id: UUID) -> str:
    """One file: its counts, and the first lines refused."""
    found = reports.one(import_id) or abort(404)
    return render_template("admin/directory/report.html", found=found, wording=wording)


def _to_write(address: str) -> str:
    """Where an agent writes to this box."""
    return url_for("admin_exchanges.write_to_address", adresse=address)
