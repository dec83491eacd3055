"""Sorting letters: the tray by reason, hospital and age, and several letters at once."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin.routes_documents import Answer, documents_pages, hospitals
from auth import guards
from portal import db
from portal.web.repeated_posts import once
from services.documents import queries as documents
from services.documents import wording
from services.documents.actions import RIGHT
from services.documents.models import Document
from services.documents.tray import actions, queries
from services.documents.tray.forms import DiscardSeveralForm, FilterForm

_MOST_PAGES = 1000


@documents_pages.get("")
def tray() -> str:
    """The letters that wait for somebody to say whose they are."""
    return _page(DiscardSeveralForm(formdata=None))


def _page(form: DiscardSeveralForm) -> str:
    here = guards.establishments(RIGHT)
    page = min(request.args.get("page", 1, int), _MOST_PAGES) if request.args.get("page", 1, int) > 0 else 1
    asked = FilterForm(request.args)
    asked.offer({str(each.id): each.name for each in hospitals()}, queries.codes_of(here))
    wanted = asked.wanted(page)
    found, more = queries.waiting(here, wanted)
    return render_template(
        "admin/documents/tray.html",
        view="tray",
        counts=documents.counts_at(here),
        words=wording,
        documents=found,
        age_of=_age_of,
        filters=asked,
        form=form,
        previous=_address(page - 1) if page > 1 else None,
        following=_address(page + 1) if more else None,
        is_filtered=bool(wanted.establishment_id or wanted.code or wanted.late),
    )


def _address(page: int) -> str:
    kept: dict[str, Any] = {
        name: value for name, value in request.args.items() if name in ("hopital", "motif", "age") and value
    }
    return url_for(".tray", page=page, **kept)


def _age_of(document: Document) -> tuple[str, str]:
    """How long it has waited, in words, and the tone of its tag."""
    age: timedelta = db.now() - document.received_at
    if document.reason == "taken_back" or age > queries.VERY_LATE:
        tone = "danger"
    else:
        tone = "warning" if age > queries.LATE else "neutral"
    if age < timedelta(days=1):
        return str(_("today") if age < timedelta(hours=12) else _("less than a day")), tone
    return ngettext("%(num)d day", "%(num)d days", age.days), tone


@documents_pages.post("/ecarter-plusieurs")
@once
def discard_several() -> Answer:
    """Set aside the letters that were ticked."""
    form = DiscardSeveralForm()
    if not form.validate():
        return _page(form), 422
    if not form.chosen:
        form.reason.errors = [*form.reason.errors, _("Tick the letters to set aside.")]
        return _page(form), 422
    chosen = queries.several(guards.establishments(RIGHT), form.chosen)
    done = actions.discard_together(chosen, form.reason.data)
    flash(ngettext("%(num)d letter is set aside.", "%(num)d letters are set aside.", done), "success")
    if done < len(form.chosen):
        flash(_("Some had already been dealt with by a colleague."), "info")
    answer: Response = redirect(url_for(".tray"), 303)
    return answer
