"""Hospitals side by side: one figure, ranked, with small charts on a common scale."""

from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request

from admin import figure_services, forms_figure_comparison, queries_figure_comparison, queries_figures
from admin.forms_figure_comparison import ComparisonForm
from auth import guards
from portal import db, kpi
from portal.calendar import civil_day

pages = guards.staff(
    Blueprint(
        "admin_figure_comparison", __name__, url_prefix="/admin/chiffres/comparaison", template_folder="templates"
    ),
    right="administration",
)
USUAL = ("R2a", "R1", "P1")
"""The figures that one compares first, if there are such."""


@pages.get("")
def show() -> str:
    """A figure over a whole month, quarter or year at the hospitals that the reader administers."""
    hospitals = queries_figures.hospitals(guards.establishments("administration"))
    known = {each.code: each for each in queries_figure_comparison.definitions()}
    usual = next((code for code in (*USUAL, *known) if code in known), None) or abort(404)
    form = ComparisonForm(formdata=request.args)
    form.offer(
        {code: str(each.title) for code, each in known.items()}, usual, civil_day(db.now(), ZoneInfo(kpi.GROUP_ZONE))
    )
    found = None
    if len(hospitals) > 1:
        found = queries_figure_comparison.compare(known[form.figure.data], form.days, hospitals)
    return render_template(
        "admin/figures/comparison.html",
        form=form,
        found=found,
        period_name=forms_figure_comparison.period_name,
        service=figure_services.service_of(known[form.figure.data]),
    )
