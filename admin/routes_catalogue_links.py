"""Links to national and regional services, and the names of the Internet that links may lead to; pages of the services'
blueprint."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_catalogue as queries
from admin.forms_catalogue import HostForm, LinkForm, offer_places
from admin.routes_catalogue import Answer, catalogue_pages, here
from auth import held_forms
from portal.catalog import LinkHost, ServiceLink
from portal.catalog import actions as catalog_actions
from portal.catalog import queries as catalog_queries
from portal.catalog.actions import CodeTaken, HostInUse, LinkSheet
from portal.catalog.links import KNOWN_HOSTS, HostNotAllowed, NotALink
from portal.db import session
from portal.web.repeated_posts import once


@catalogue_pages.route("/liens/ajouter", methods=["GET", "POST"])
@once
def add_link() -> Answer:
    """A service that somebody else gives."""
    held = held_forms.take()
    form = LinkForm(formdata=held) if held else LinkForm()
    offer_places(form.where, queries.mine(), group=catalog_queries.administers_all())
    if not form.is_submitted():
        form.opened_on.process_data(catalog_queries.day_of(None))
    if form.validate_on_submit() and _is_kept(form, None):
        flash(_("Added to the home page."), "success")
        return redirect(url_for(".overview"), 303)
    page = render_template("admin/catalogue/link.html", form=form, link=None, changes=())
    return page, 422 if form.errors else 200


@catalogue_pages.route("/liens/<uuid:link_id>", methods=["GET", "POST"])
@once
def change_link(link_id: UUID) -> Answer:
    """One of them."""
    link = catalog_queries.link(link_id, here()) or abort(404)
    _speak_for(link.establishment_id)
    held = held_forms.take()
    form = LinkForm(formdata=held) if held else LinkForm(data=_known(link))
    _keep_place(form, link)
    if form.validate_on_submit() and _is_kept(form, link):
        flash(_("Saved: everybody reads it within a few seconds."), "success")
        return redirect(url_for(".overview"), 303)
    changes = catalog_queries.changes("link", str(link.id), link.establishment_id)
    page = render_template("admin/catalogue/link.html", form=form, link=link, changes=changes, iso=date.fromisoformat)
    return page, 422 if form.errors else 200


def _is_kept(form: LinkForm, link: ServiceLink | None) -> bool:
    """Whether it could be written; otherwise the form says why."""
    sheet = LinkSheet(
        form.code.data or "", form.url.data or "", form.audience.data, form.reach.data, form.icon.data,
        form.opened_on.data, form.closed_on.data, form.texts, form.position.data or 0,
    )  # fmt: skip
    try:
        if link is None:
            catalog_actions.add_link(place(form.where.data), sheet)
        else:
            catalog_actions.change_link(link, sheet)
    except NotALink:
        form.url.errors = [*form.url.errors, _("Write an address that begins with https://, without a password.")]
    except HostNotAllowed as refusal:
        words = _("Nobody has said yet that links may lead to %(host)s: add it to the allowed sites first.",
                  host=str(refusal))  # fmt: skip
        form.url.errors = [*form.url.errors, words]
    except CodeTaken:
        form.code.errors = [*form.code.errors, _("Another service has this short name.")]
    return not form.errors


def _keep_place(form: LinkForm, link: ServiceLink) -> None:
    """A link stays where it was made for."""
    hospital = queries.place_of(queries.mine(), link.establishment_id)
    offer_places(form.where, [hospital] if hospital else [], group=hospital is None)
    form.where.data = hospital.finess if hospital else "group"


def _known(link: ServiceLink) -> dict[str, Any]:
    names = ("code", "url", "audience", "reach", "icon", "opened_on", "closed_on", "position")
    return {name: getattr(link, name) for name in names} | dict(link.texts)


def place(chosen: str) -> UUID | None:
    """What a form says it is for: a hospital of the agent's by its FINESS, or the group (None) for those who may."""
    if chosen == "group":
        return None if catalog_queries.administers_all() else abort(403)
    return queries.mine_by_finess(chosen).id


def _speak_for(establishment_id: UUID | None) -> None:
    if establishment_id is None and not catalog_queries.administers_all():
        abort(403)


# -- where links may lead ----------------------------------------------------------------------------------------


@catalogue_pages.route("/adresses", methods=["GET", "POST"])
@once
def hosts() -> Answer:
    """Names that links may lead to, beside the national ones."""
    held = held_forms.take()
    form = HostForm(formdata=held) if held else HostForm()
    hospitals = queries.mine()
    offer_places(form.where, hospitals, group=catalog_queries.administers_all())
    if form.validate_on_submit():
        try:
            catalog_actions.allow_host(place(form.where.data), form.host.data or "", form.reason.data or "")
        except NotALink:
            form.host.errors = [*form.host.errors, _("Write a name such as imagerie.exemple.fr, without https://")]
        else:
            flash(_("Links may lead there now."), "success")
            return redirect(url_for(".hosts"), 303)
    found = [(each, queries.place_of(hospitals, each.establishment_id)) for each in catalog_queries.hosts_at(here())]
    page = render_template("admin/catalogue/hosts.html", form=form, hosts=found, known=sorted(KNOWN_HOSTS))
    return page, 422 if form.errors else 200


@catalogue_pages.post("/adresses/<uuid:host_id>/retirer")
def forbid_host(host_id: UUID) -> Response:
    """Links may not lead there any more."""
    found = session.get(LinkHost, host_id) or abort(404)
    if found.establishment_id is not None and found.establishment_id not in here():
        abort(404)
    _speak_for(found.establishment_id)
    try:
        catalog_actions.forbid_host(found)
    except HostInUse as refusal:
        words = _("The link “%(code)s” still leads there: close it first.", code=refusal.args[0].code)
        flash(words, "warning")
    else:
        flash(_("Links may no longer lead there."), "success")
    return redirect(url_for(".hosts"), 303)
