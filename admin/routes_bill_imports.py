"""Files of bills: what became of each, and sending one from the back office."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db, establishments
from portal.delimited import NotSuchAFile
from portal.establishments import Establishment
from portal.files import Arriving
from portal.web import uploads
from services.billing.imports import jobs, queries, wording
from services.billing.imports.forms import MAX_BYTES, ImportForm
from services.billing.imports.jobs import ImportReport, Reading

pages = guards.staff(
    Blueprint("admin_bill_imports", __name__, url_prefix="/admin/factures/imports", template_folder="templates"),
    right="billing",
)
_LAST_PAGE = 10_000


@pages.get("")
def imports() -> str:
    """The files that concern my hospitals, newest first."""
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.imports_at(*_me(), page)
    return render_template(
        "admin/bill_imports/imports.html",
        imports=found[: queries.PAGE_SIZE],
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        wording=wording,
    )


@pages.get("/<uuid:import_id>")
def show(import_id: UUID) -> str:
    """One file: its counts at my hospitals, and the lines that somebody should look at."""
    places, account_id = _me()
    found = queries.one_at(places, account_id, import_id) or abort(404)
    remarks = queries.remarks(places, import_id)
    return render_template(
        "admin/bill_imports/report.html",
        found=found,
        refused=[remark for remark in remarks if remark.kind == "refused"],
        noticed=[remark for remark in remarks if remark.kind == "noticed"],
        wording=wording,
    )


@pages.route("/envoyer", methods=["GET", "POST"])
def send() -> Response | str | tuple[str, int]:
    """Load a file: only lines of hospitals where I hold the right are taken. The same file twice changes nothing."""
    form = ImportForm()
    form.offer(_hospitals())
    if form.is_submitted():
        arriving = uploads.arriving(form.file.data)
        if form.validate() and arriving is not None and _has_a_size(form, arriving):
            try:
                report = _load(form, arriving)
                flash(wording.outcome(report), "warning" if report.remarks else "success")
                return redirect(url_for(".show", import_id=report.import_id), 303)
            except NotSuchAFile as error:
                form.file.errors = [_("This file was not read to its end: %(why)s.", why=wording.why(str(error)))]
        elif not form.errors:
            form.file.errors = [_("Choose a file of bills that is not empty.")]
    page = render_template("admin/bill_imports/send.html", form=form)
    return (page, 422) if form.errors else page


def _has_a_size(form: ImportForm, arriving: Arriving) -> bool:
    if arriving.size > MAX_BYTES:
        form.file.errors = [_("This file is larger than 10 MB: ask your operator to load it from the command line.")]
    return 0 < arriving.size <= MAX_BYTES


def _load(form: ImportForm, arriving: Arriving) -> ImportReport:
    actor, name, content = db.current_actor(), form.file.data.filename, arriving.read()
    chosen = next((each.finess for each in _hospitals() if str(each.id) == form.establishment_id.data), "")
    db.session.commit()  # nothing of this request stays open while the file is read
    return jobs.import_bills(
        content,
        name,
        actor=actor,
        only_at=guards.establishments("billing"),
        reading=Reading(chosen, form.ref_tiers_is_ipp.data),
    )


def _me() -> tuple[list[UUID], UUID | None]:
    return list(guards.establishments("billing")), db.current_actor().account_id


def _hospitals() -> list[Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]
