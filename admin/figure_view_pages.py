"""The address of a saved view, and what of an address is worth saving."""

from collections.abc import Mapping
from typing import Any, Final

from flask import url_for
from werkzeug.datastructures import MultiDict

from admin import figure_services, forms_figure_comparison
from admin.figures_chooser import Chooser
from auth.figure_views.models import FigureView
from portal import kpi

_ENDPOINTS: Final = {
    "home": "admin.dashboard",
    "service": "admin_figure_services.show",
    "figure": "admin_figures.show",
    "comparison": "admin_figure_comparison.show",
}
_NAMES: Final = ("figure", "period", "from", "to", "grain", "compared", "establishment")
"""What an address may choose, in the order in which it says so."""


def address(view: FigureView) -> str:
    """Where the view is opened."""
    values: dict[str, Any] = {name: view.choice[name] for name in _NAMES if name in view.choice}
    if view.subject:
        values["code"] = view.subject
    return url_for(_ENDPOINTS[view.page], **values)


def is_known(page: str, subject: str) -> bool:
    """Whether there is such a page of figures."""
    if page == "service":
        return figure_services.service(subject) is not None
    if page == "figure":
        return any(each.code == subject for each in kpi.definitions())
    return page in _ENDPOINTS and not subject


def choice(page: str, chosen: Chooser, arguments: MultiDict[str, str]) -> Mapping[str, str]:
    """What the address chose, checked: a ready-made period stays one, and moves on with the days."""
    if page != "comparison":
        return chosen.arguments()
    figure, period = arguments.get("figure", ""), arguments.get("period", "")
    found = {"figure": figure} if any(each.code == figure for each in kpi.definitions()) else {}
    return found | ({"period": period} if period in forms_figure_comparison.periods(chosen.form.today) else {})


def title(view: FigureView) -> str:
    """What the page is about, for the list of views."""
    if view.page == "service" and (service := figure_services.service(view.subject)):
        return str(service.title)
    code = view.subject or view.choice.get("figure", "")
    return next((str(each.title) for each in kpi.definitions() if each.code == code), "")
