"""Notices and maintenance banners: what every page announces, for the group or for one hospital."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_catalogue as queries
from admin.forms_catalogue import LEVEL_WORDS, NoticeForm, offer_places
from admin.routes_catalogue_links import place
from auth import guards, held_forms
from portal import db
from portal.catalog import queries as catalog_queries
from portal.catalog.notices import SiteNotice
from portal.catalog.notices import actions as notice_actions
from portal.catalog.notices import queries as notice_queries
from portal.catalog.notices.actions import AlreadyWithdrawn, Draft
from portal.catalog.notices.queries import Notice
from portal.catalog.words import LANGUAGES
from portal.establishments import Establishment
from portal.web.repeated_posts import once

RIGHT = "administration"
notice_pages = guards.staff(
    Blueprint("admin_notices", __name__, url_prefix="/admin/annonces", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
_MOMENTS = (("from", "shown_from"), ("until", "shown_until"), ("stop", "window_from"), ("back", "window_until"))


@notice_pages.get("")
def overview() -> str:
    """What is announced now, what will be, what was."""
    hospitals = queries.mine()
    found = notice_queries.all_at(guards.establishments(RIGHT))
    return render_template(
        "admin/catalogue/notices.html",
        notices=[(each, queries.place_of(hospitals, each.establishment_id), state_of(each)) for each in found],
        levels=LEVEL_WORDS,
        group=catalog_queries.administers_all(),
    )


def state_of(notice: SiteNotice) -> str:
    """withdrawn, over, shown or coming."""
    now = db.now()
    if notice.withdrawn_at:
        return "withdrawn"
    if notice.shown_until and notice.shown_until <= now:
        return "over"
    return "shown" if notice.shown_from <= now else "coming"


@notice_pages.route("/ajouter", methods=["GET", "POST"])
@once
def announce() -> Answer:
    """Write one, look at it, publish it."""
    held = held_forms.take()
    form = NoticeForm(formdata=held) if held else NoticeForm()
    hospitals = queries.mine()
    offer_places(form.where, hospitals, group=catalog_queries.administers_all())
    if form.validate_on_submit():
        place_id = place(form.where.data)
        hospital = queries.place_of(hospitals, place_id)
        if "look" in request.form:
            return _page(form, None, _preview(form, hospital))
        notice_actions.announce(place_id, _draft(form, hospital))
        flash(_("It is on every page within ten seconds, or on its day."), "success")
        return redirect(url_for(".overview"), 303)
    return _page(form, None), 422 if form.errors else 200


@notice_pages.route("/<uuid:notice_id>", methods=["GET", "POST"])
@once
def change(notice_id: UUID) -> Answer:
    """Correct one that is shown or will be."""
    notice, hospital = _mine(notice_id)
    held = held_forms.take()
    form = NoticeForm(formdata=held) if held else NoticeForm(data=_known(notice, _zone(hospital)))
    offer_places(form.where, [hospital] if hospital else [], group=hospital is None)
    form.where.data = hospital.finess if hospital else "group"
    if form.validate_on_submit():
        if "look" in request.form:
            return _page(form, notice, _preview(form, hospital))
        try:
            notice_actions.change(notice, _draft(form, hospital, notice))
            flash(_("Saved: everybody reads it within a few seconds."), "success")
        except AlreadyWithdrawn:
            flash(_("Somebody took it back meanwhile."), "info")
        return redirect(url_for(".overview"), 303)
    return _page(form, notice), 422 if form.errors else 200


@notice_pages.post("/<uuid:notice_id>/retirer")
def withdraw(notice_id: UUID) -> Response:
    """Take one off every page."""
    notice, _hospital = _mine(notice_id)
    try:
        notice_actions.withdraw(notice)
        flash(_("It is taken off every page."), "success")
    except AlreadyWithdrawn:
        flash(_("Somebody took it back meanwhile."), "info")
    return redirect(url_for(".overview"), 303)


def _mine(notice_id: UUID) -> tuple[SiteNotice, Establishment | None]:
    found = notice_queries.one_at(guards.establishments(RIGHT), notice_id) or abort(404)
    if found.establishment_id is None and not catalog_queries.administers_all():
        abort(403)
    return found, queries.place_of(queries.mine(), found.establishment_id)


def _page(form: NoticeForm, notice: SiteNotice | None, preview: Notice | None = None) -> str:
    told_in = [(code, name) for code, name in LANGUAGES.items() if preview and preview.texts.get(code)]
    return render_template(
        "admin/catalogue/notice.html", form=form, notice=notice, preview=preview, told_in=told_in,
    )  # fmt: skip


def _draft(form: NoticeForm, hospital: Establishment | None, known: SiteNotice | None = None) -> Draft:
    moments = form.moments(_zone(hospital))
    since = moments.pop("shown_from") or db.now()
    if known and since == known.shown_from.replace(second=0, microsecond=0):
        since = known.shown_from  # typed to the minute
    return Draft(form.level.data, form.texts, since, **moments)


def _preview(form: NoticeForm, hospital: Establishment | None) -> Notice:
    draft = _draft(form, hospital)
    return notice_queries.told(
        SiteNotice(establishment_id=hospital.id if hospital else None, **draft.columns), hospital
    )


def _zone(hospital: Establishment | None) -> ZoneInfo:
    return hospital.tz if hospital else catalog_queries.GROUP_ZONE


def _known(notice: SiteNotice, zone: ZoneInfo) -> dict[str, Any]:
    found: dict[str, Any] = {"level": notice.level} | dict(notice.texts)
    for prefix, name in _MOMENTS:
        if moment := getattr(notice, name):
            local = moment.astimezone(zone)
            found |= {f"{prefix}_day": local.date(), f"{prefix}_hour": f"{local:%H:%M}"}
    return found
