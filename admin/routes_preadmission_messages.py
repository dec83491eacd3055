"""What a hospital decides for its admissions office: the messages agents start from, how secret stays are shown."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import audit, establishments
from portal.web.repeated_posts import once
from services.preadmission.office import actions
from services.preadmission.office import queries as office
from services.preadmission.office import wording as office_words
from services.preadmission.office.forms import MessageForm, OfficeForm
from services.preadmission.office.models import MessageTemplate
from services.preadmission.queries import CONFIDENTIAL, CONFIDENTIAL_WAYS

message_pages = guards.staff(
    Blueprint(
        "admin_preadmission_office", __name__, url_prefix="/admin/bureau-des-admissions", template_folder="templates"
    ),
    right="administration",
)
Answer = str | Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments("administration")


@message_pages.get("")
def overview() -> str:
    """Each hospital of the administrator: its messages, and how its secret stays are shown."""
    mine = [each for each in establishments.establishments() if each.id in _here()]
    kept = office.messages(_here())
    return render_template(
        "admin/preadmission/office.html",
        hospitals=[
            (each, [found for found in kept if found.establishment_id == each.id], _way_form(each.id)) for each in mine
        ],
        office_words=office_words,
    )


def _way_form(establishment_id: UUID) -> OfficeForm:
    way = establishments.setting(establishment_id, CONFIDENTIAL, CONFIDENTIAL_WAYS[0])
    return OfficeForm(formdata=None, prefix=f"h{establishment_id.hex[:8]}", confidential=way)


@message_pages.post("/<uuid:establishment_id>/sejours-confidentiels")
def keep_way(establishment_id: UUID) -> Response:
    """How the stays that are to be kept secret are shown in lists."""
    if establishment_id not in _here():
        abort(404)
    form = OfficeForm(prefix=f"h{establishment_id.hex[:8]}")
    if not form.validate():
        abort(400)
    establishments.change_setting(establishment_id, CONFIDENTIAL, form.confidential.data)
    audit.record(
        "preadmission_office.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        way=form.confidential.data,
    )
    flash(_("Kept."), "success")
    return redirect(url_for(".overview"), 303)


@message_pages.route("/<uuid:establishment_id>/messages/nouveau", methods=["GET", "POST"])
@once
def new_message(establishment_id: UUID) -> Answer:
    if establishment_id not in _here():
        abort(404)
    return _edit(establishment_id, None)


@message_pages.route("/messages/<uuid:message_id>", methods=["GET", "POST"])
@once
def message(message_id: UUID) -> Answer:
    found = office.message(_here(), message_id) or abort(404)
    return _edit(found.establishment_id, found)


def _edit(establishment_id: UUID, found: MessageTemplate | None) -> Answer:
    form = MessageForm(obj=found)
    if form.validate_on_submit():
        actions.keep_message(establishment_id, form.occasion.data, form.title.data or "", form.body.data or "", found)
        flash(_("Message kept."), "success")
        return redirect(url_for(".overview"), 303)
    page = render_template("admin/preadmission/message.html", form=form, message=found, office_words=office_words)
    return page, 422 if form.errors and request.method == "POST" else 200


@message_pages.post("/messages/<uuid:message_id>/supprimer")
def drop_message(message_id: UUID) -> Response:
    actions.drop_message(office.message(_here(), message_id) or abort(404))
    flash(_("Message removed."), "success")
    return redirect(url_for(".overview"), 303)
