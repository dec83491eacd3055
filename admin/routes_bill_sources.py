"""Bill sources: where bills come from, which rules they follow, at which counter they are paid."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_bill_sources import ACCESS_WORDS, KIND_WORDS, SAISIE_WORDS, SourceForm
from auth import guards, held_forms
from portal import db
from portal.establishments import Establishment
from portal.web.limits import limiter
from services.billing.forms import MEANS_WORDS
from services.billing.sources import actions, queries, trials
from services.billing.sources.actions import SourceUnfit, UnknownSource
from services.billing.sources.models import KINDS, BillSource

source_pages = guards.staff(
    Blueprint("admin_bill_sources", __name__, url_prefix="/admin/factures/sources", template_folder="templates"),
    right="billing",
)


@source_pages.get("")
def sources() -> str:
    """Every source of the agent's hospitals, closed ones too, and what bills without one follow."""
    mine = _mine()
    described = queries.sources_at([place.id for place in mine])
    return render_template(
        "admin/billing/sources/list.html",
        hospitals=mine,
        described=described,
        defaults=_defaults(mine, described),
        words=_words(),
        tests_count=queries.tests_count(),
        stripe_at={place.id: queries.stripe_open_at(place.id) for place in mine},
    )


@source_pages.route("/nouvelle", methods=["GET", "POST"])
def describe() -> Response | tuple[str, int]:
    """Describe a source."""
    mine, held = _mine(), held_forms.take()
    asked = {
        "kind": request.args.get("kind"),
        "code": request.args.get("kind"),
        "establishment": request.args.get("hospital"),
    }
    form = (SourceForm(formdata=held) if held else SourceForm(data=asked)).for_new(mine)
    if form.validate_on_submit():
        try:
            actions.describe(_chosen(mine, form), form.draft())
        except SourceUnfit as unfit:
            form.tell(unfit)
        else:
            flash(_("The source is described. Try its connection before bills arrive."), "success")
            return redirect(url_for(".sources"), 303)
    return _form_page(form, None)


@source_pages.route("/<uuid:source_id>", methods=["GET", "POST"])
def change(source_id: UUID) -> Response | tuple[str, int]:
    """Change the rules of a source, from the next payment on."""
    source, held = _one(source_id), held_forms.take()
    form = SourceForm(formdata=held).for_one() if held else SourceForm.showing(source)
    if form.validate_on_submit():
        try:
            changed = actions.change(guards.establishments("billing"), source_id, form.draft())
        except SourceUnfit as unfit:
            form.tell(unfit)
        else:
            flash(_("Saved: the next payments follow it.") if changed else _("Nothing was changed."), "success")
            return redirect(url_for(".sources"), 303)
    return _form_page(form, source)


@source_pages.post("/<uuid:source_id>/fermer")
def close(source_id: UUID) -> Response:
    """Take no payment for its bills any more."""
    return _switch(source_id, is_active=False)


@source_pages.post("/<uuid:source_id>/rouvrir")
def reopen(source_id: UUID) -> Response:
    return _switch(source_id, is_active=True)


@source_pages.post("/<uuid:source_id>/essai/<any(payfip, stripe):psp>")
@limiter.limit("20 per minute")
def trial(source_id: UUID, psp: str) -> str:
    """Ask a provider which name it knows behind the counter of this source."""
    source = _one(source_id)
    name, place, numcli, saisie = source.name, source.establishment_id, source.numcli, source.saisie
    db.session.commit()  # nothing stays open while the provider answers
    found = trials.of_counter(place, psp, numcli, saisie)
    actions.note_trial(place, psp, found.outcome)
    return render_template(
        "admin/billing/sources/trial.html", trial=found, title=name, means=MEANS_WORDS[psp], back=url_for(".sources")
    )


def _switch(source_id: UUID, *, is_active: bool) -> Response:
    places = guards.establishments("billing")
    try:
        (actions.reopen if is_active else actions.close)(places, source_id)
    except UnknownSource:
        abort(404)
    flash(
        _("Open again: its bills can be paid online.")
        if is_active
        else _("Closed: its bills can no longer be paid online. What is under way is still written down."),
        "success",
    )
    return redirect(url_for(".sources"), 303)


def _form_page(form: SourceForm, source: BillSource | None) -> tuple[str, int]:
    page = render_template(
        "admin/billing/sources/form.html", form=form, source=source, words=_words(), tests_count=queries.tests_count()
    )
    return page, 422 if form.errors else 200


def _chosen(mine: Sequence[Establishment], form: SourceForm) -> UUID:
    if "establishment" not in form:
        return mine[0].id
    return next(place.id for place in mine if place.finess == form.establishment.data)


def _defaults(mine: Sequence[Establishment], described: Sequence[BillSource]) -> list[BillSource]:
    """What bills follow whose kind nobody described: the settings of their hospital."""
    known = {(row.establishment_id, row.code) for row in described}
    missing = [(place.id, kind) for place in mine for kind in KINDS if (place.id, kind) not in known]
    return [found for each in missing if (found := queries.source_of(*each)).means]


def _words() -> dict[str, object]:
    short = {"payfip": "PayFiP", "stripe": "Stripe"}
    return {"kinds": KIND_WORDS, "access": ACCESS_WORDS, "saisie": SAISIE_WORDS, "means": short}


def _one(source_id: UUID) -> BillSource:
    return queries.one_at(guards.establishments("billing"), source_id) or abort(404)


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("billing")))
