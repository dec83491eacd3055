"""What templates may call: icons, assets, amounts, dates, and the links of an error summary.

The components themselves are the macros of `templates/ui.html`.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from flask import Flask, get_flashed_messages
from flask_babel import format_currency, format_date, format_time, get_locale, to_user_timezone
from markupsafe import Markup
from wtforms import Field, Form
from wtforms.fields import FieldList, FormField

from portal.web import charts, charts_grids, charts_parts, charts_rows
from portal.web.assets import asset, stylesheet
from portal.web.style_guide import samples

ICONS = Path(__file__).resolve().parents[1] / "static" / "icons"
_FIRST = re.compile(r"\b1 ")


def register(app: Flask) -> None:
    """Give the templates of this application what the macros of `ui.html` rely on."""
    app.jinja_env.globals.update(
        asset=asset,
        stylesheet=stylesheet,
        icon=icon,
        error_links=error_links,
        get_flashed_messages=get_flashed_messages,
        charts=charts,
        charts_parts=charts_parts,
        charts_rows=charts_rows,
        charts_grids=charts_grids,
        style_guide_samples=samples,
    )
    app.jinja_env.filters.update(
        euros=euros,
        long_day=long_day,
        short_day=short_day,
        clock=clock,
        moment=moment,
    )


_TURNING = frozenset({"arrow-left", "arrow-right", "chevron-left", "chevron-right", "list", "log-in", "log-out"})
"""Drawings that point where the text goes: they are turned round where it goes to the left."""


@cache
def icon(name: str, size: str = "m") -> Markup:
    """A Lucide drawing, in the colour of the text around it and silent for screen readers.

    Sizes are s (1 em), m, l and xl. Raises FileNotFoundError for a drawing we do not carry.
    """
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"not an icon name: {name!r}")
    source = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    turns = " app-icon--turns" if name in _TURNING else ""
    shapes = re.sub(r"\s+", " ", source[source.index("<svg") :].split(">", 1)[1].rsplit("</svg>", 1)[0])
    return Markup(  # noqa: S704 our own files, and a name that is one of theirs
        f'<svg class="app-icon app-icon--{size}{turns}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        f' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"'
        f' focusable="false">{shapes.strip()}</svg>'
    )


def error_links(form: Form) -> list[tuple[str, str]]:
    """The errors of a form in the order of its fields, each with the id of the control to go to ('' when none)."""
    links = [link for field in form for link in _links_of(field)]
    return links + [("", str(error)) for error in getattr(form, "form_errors", ())]


def _links_of(field: Field) -> Iterator[tuple[str, str]]:
    if isinstance(field, FormField):
        yield from error_links(field.form)
        return
    if isinstance(field, FieldList):
        for entry in field.entries:
            yield from _links_of(entry)
    for error in field.errors:
        # A list of entries repeats their errors as lists: they are already in.
        if not isinstance(error, (list, tuple, dict)):
            yield getattr(field, "error_id", field.id), str(error)


def euros(cents: int) -> str:
    """An amount in cents, written for the reader's language: 1234 gives `12,34 €` in French."""
    return _set_apart(str(format_currency(Decimal(cents).scaleb(-2), "EUR")))


def long_day(day: date) -> str:
    """`lundi 23 novembre 2026`, by the pattern of each language's own books."""
    return _written(day, "full")


def short_day(day: date) -> str:
    """`23 nov. 2026`."""
    return _written(day, "medium")


def _written(day: date, length: str) -> str:
    text = str(format_date(day, length))
    # French books say "1er"; the CLDR does not.
    return _FIRST.sub("1er ", text, count=1) if day.day == 1 and str(get_locale()) == "fr" else _set_apart(text)


def clock(at: datetime) -> str:
    """`09:30`, in the time zone of the page."""
    return _set_apart(str(format_time(at, "short")))


def _set_apart(text: str) -> str:
    """In Arabic, what a name in Latin letters before it would otherwise draw into its own direction (UAX 9, 2.4)."""
    return f"\u2067{text}\u2069" if str(get_locale()) == "ar" else text


def moment(at: datetime) -> str:
    """`23 nov. 2026, 09:30`, in the time zone of the page."""
    return f"{_local_day(at)}, {clock(at)}"


def _local_day(at: datetime) -> str:
    return short_day(to_user_timezone(at).date())
