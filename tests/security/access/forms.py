"""The forms of pages, sent as they stand, then again with fields that nobody asked for (CWE-915).

Extra fields are named as the columns that the form writes; whatever their value, not one of them may be written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import Boolean, Integer, Uuid

from portal.db import Base
from tests.pages import parsed
from tests.security.access.cast import Cast

TEXT, NUMBER = "zz-chosen-by-the-browser-zz", "987654321"
ALWAYS = ("is_admin", "admin", "role", "rights", "right", "establishment_id", "account_id", "patient_id", "owner_id",
          "amount_cents", "currency", "state", "status", "verified", "verified_at", "confirmed")  # fmt: skip
_WRITES = re.compile(r"\b(?:insert into|(?<!for )(?<!do )(?<!no key )update|delete from)\s+\"?(\w+)", re.IGNORECASE)
_NOT_OF_THE_FORM = {
    "audit_event",
    "failed_tries",
    "held_form",
    "kpi_event",
    "repeated_post",
    "waiting_room",
    "web_session",
}
"""What any request may write. A held form keeps all that was typed, for its author, and is shown again in the page."""


@dataclass(frozen=True)
class Form:
    """One form of a page, as it would be sent untouched. role: who had the page open."""

    role: str
    page: str
    action: str
    fields: Mapping[str, Any]
    names: frozenset[str]
    """Of all that it asks, boxes that are not ticked included."""


@dataclass(frozen=True)
class Written:
    """What a request wrote. lines: statements, and the values that they wrote."""

    lines: tuple[tuple[str, Any], ...]

    @property
    def tables(self) -> set[str]:
        return {table for statement, _values in self.lines for table in _WRITES.findall(statement)} - _NOT_OF_THE_FORM

    def holds(self, marker: str) -> list[str]:
        return [statement for statement, values in self.lines if marker in str(values)
                and not _NOT_OF_THE_FORM & set(_WRITES.findall(statement))]  # fmt: skip


def written(cast: Cast) -> Written:
    """What the last request wrote and kept."""
    return Written(tuple(each[1:] for each in cast.statements if _WRITES.search(each[1])))


def forms_of(role: str, page: str, body: str) -> Iterator[Form]:
    """Those that are posted, whose fields hold what the page put there."""
    for form in parsed(body).iter("form"):
        if (form.get("method") or "get").lower() == "post" and "multipart" not in (form.get("enctype") or ""):
            action = urlsplit(urljoin(page, form.get("action") or page))
            yield Form(
                role, page, action.path + (f"?{action.query}" if action.query else ""), _fields(form), _names(form)
            )


def _names(form: Any) -> frozenset[str]:
    return frozenset(
        each.get("name") for each in form.iter("input", "textarea", "select", "button") if each.get("name")
    )


def _fields(form: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in form.iter("input", "textarea", "select"):
        name = each.get("name")
        if not name or name == "csrf_token" or each.get("disabled") is not None:
            continue
        if each.tag == "textarea":
            found[name] = each.text or ""
        elif each.tag == "select":
            options = list(each.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            found[name] = [option.get("value", option.text) for option in chosen]
        elif each.get("type") in ("checkbox", "radio"):
            if each.get("checked") is not None:
                found.setdefault(name, []).append(each.get("value", "y"))
        elif each.get("type") not in ("submit", "button", "file"):
            found[name] = each.get("value") or ""
    return found


def replayed(cast: Cast, form: Form, stranger: str) -> tuple[set[str], list[str]]:
    """The tables that the form writes, and what was wrong when it came with more. stranger: an identifier that exists
    and is another's."""
    try:
        first = cast.ask(form.role, "POST", form.action, data=dict(form.fields))
    except pytest.fail.Exception:  # it calls a provider, which tests may not
        return set(), []
    first.close()
    plain = written(cast)
    if not plain.tables:
        return set(), []
    more = _more(plain.tables, stranger)
    extra = {name: value for name, value in more.items() if name not in form.names}
    already = {marker for marker in (TEXT, NUMBER, stranger) if plain.holds(marker)}
    second = cast.ask(form.role, "POST", form.action, data={**form.fields, **extra})
    second.close()
    seen = written(cast)
    told = f"{form.role} {form.page} → {form.action}"
    new = {TEXT, NUMBER, stranger} - already
    wrong = [f"{told}: {marker} in {line[:90]}" for marker in new for line in seen.holds(marker)]
    if second.status_code != first.status_code or seen.tables != plain.tables:
        wrong.append(f"{told}: {first.status_code} became {second.status_code}")
    return plain.tables, wrong


def _more(tables: set[str], stranger: str) -> dict[str, str]:
    """A value for each column of these tables, and for what attackers always try."""
    found = dict.fromkeys(ALWAYS, TEXT) | {"establishment_id": stranger, "amount_cents": NUMBER}
    for table in sorted(tables & set(Base.metadata.tables)):
        for column in Base.metadata.tables[table].columns:
            if isinstance(column.type, Uuid):
                found[column.name] = stranger
            elif isinstance(column.type, Integer):
                found[column.name] = NUMBER
            else:
                found[column.name] = "y" if isinstance(column.type, Boolean) else TEXT
    return found
