"""Marked values, how a form is filled with them, and how they are found again in what the portal says of itself."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.pages import parsed

NAME, BIRTH_NAME, GIVEN = "Zqnomcanari", "Zqnaissancecanari", "Zqprenomcanari"
EMAIL, PHONE = "zqcourriel@canari.test", "0698714253"
NIR, INS, IPP = "291079912345642", "291079912345642", "7786541239"
BORN = "1931-07-29"
WORDS, PATH, FILE_NAME = "Zqtextecanari", "Zqchemincanari", "Zqfichiercanari.pdf"
CODE = "Zqcodecanari-9-Aa"

_LETTERS: Final = re.compile(r"zq[a-z]*(?:@|%40)?canari", re.IGNORECASE)
_DIGITS: Final = re.compile(r"0?698714253|2910799123456|7786541239|1931-?07-?29|29/07/1931")
_BETWEEN: Final = re.compile(r"(?<=\d)[ .\u00a0\u202f](?=\d)")
_PDF: Final = (
    b"%PDF-1.4\n% Zqtextecanari\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj"
    b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def marks(text: str) -> set[str]:
    """Every mark in a text, however it is spaced, cased or escaped in an address."""
    found = {each.group().lower() for each in _LETTERS.finditer(text)}
    return found | {each.group() for each in _DIGITS.finditer(_BETWEEN.sub("", text))}


_BY_NAME: Final = (
    (("birth_name", "family", "last_name"), BIRTH_NAME),
    (("given", "first_name"), GIVEN),
    (("email", "mail"), EMAIL),
    (("phone", "mobile", "tel"), PHONE),
    (("nir", "ins", "ssn"), NIR),
    (("ipp", "number"), IPP),
    (("born", "birth_on", "birthdate", "birth_date"), BORN),
    (("code", "password", "secret", "token", "pin"), CODE),
    (("name",), NAME),
)
ASKED: Final = (
    "q", "name", "birth_name", "given_names", "email", "phone", "nir", "ins", "ipp", "birth_on", "code", "password",
    "reference", "next", "motif", "unit", "day", "state", "lang", "page", "identifier", "family", "token", "reason",
)  # fmt: skip
"""Parameters that addresses are asked with."""


def mark_for(name: str, kind: str = "text") -> str:
    """The mark that a field of this name takes."""
    if kind == "email":
        return EMAIL
    if kind == "tel":
        return PHONE
    if kind == "password":
        return CODE
    low = name.lower()
    return next((mark for words, mark in _BY_NAME if any(word in low for word in words)), WORDS)


def anything() -> dict[str, str]:
    """A query or a body for who asks anything."""
    return {name: mark_for(name) for name in ASKED}


HEADERS: Final = {
    "User-Agent": f"Mozilla/5.0 {WORDS}",
    "Referer": f"http://127.0.0.1/{PATH}?q={WORDS}",
    "X-Request-ID": WORDS,
    "X-Forwarded-For": WORDS,
    "traceparent": WORDS,
    "Accept-Language": f"en, {WORDS}",
    "If-None-Match": f'"{WORDS}"',
}


def resource(kind: str) -> dict[str, Any]:
    """What a machine might send: a FHIR resource of this kind with every part that names a person."""
    return {
        "resourceType": kind,
        "id": PATH,
        "identifier": [
            {"system": f"urn:{WORDS}", "value": IPP},
            {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": INS},
        ],
        "name": [{"family": BIRTH_NAME, "given": [GIVEN], "use": "official"}],
        "telecom": [{"system": "email", "value": EMAIL}, {"system": "phone", "value": PHONE}],
        "birthDate": BORN,
        "note": [{"text": WORDS}],
        "text": {"status": "generated", "div": WORDS},
        "content": [{"attachment": {"title": FILE_NAME, "data": "WnF0ZXh0ZWNhbmFyaQ==", "contentType": "text/plain"}}],
        WORDS: WORDS,
    }


@dataclass
class Form:
    """A form of a page, as it was drawn. fields: what it holds. open: names of those that take anything, and kind."""

    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def filled(self, *, everything: bool) -> dict[str, Any]:
        """Values to send. everything: marks wherever one may type; otherwise where words are expected."""
        sent = dict(self.fields)
        for name, kind in self.open.items():
            if everything or kind in ("textarea", "email", "tel", "password", "search") or not sent.get(name):
                sent[name] = mark_for(name, kind)
        return sent | {name: (io.BytesIO(_PDF), FILE_NAME) for name in self.files}


def forms(page: str, address: str) -> Iterator[Form]:
    """Every form of a page that changes or seeks something."""
    for element in parsed(page).iter("form"):
        if element.get("method") == "dialog":  # closes a box of the page, and is sent nowhere
            continue
        form = Form(element.get("action") or address, (element.get("method") or "get").lower())
        for each in element.xpath(".//input|.//textarea|.//select|.//button[@name]"):
            if name := each.get("name"):
                _take(form, name, each)
        yield form


def _take(form: Form, name: str, element: Any) -> None:
    kind = element.get("type", "text") if element.tag == "input" else element.tag
    if kind == "file":
        form.files.append(name)
    elif kind == "select":
        values = [each.get("value") or "" for each in element.iter("option")]
        form.fields[name] = next(filter(None, values), "")
    elif kind in ("checkbox", "radio", "button", "submit"):
        form.fields.setdefault(name, element.get("value") or "y")
    elif kind == "hidden":
        form.fields[name] = element.get("value") or ""
    elif kind in ("date", "time", "number", "datetime-local", "month", "color", "range"):
        usual: Mapping[str, str] = {"date": "2027-03-04", "time": "10:00", "number": "7"}
        is_birth = kind == "date" and ("birth" in name or "born" in name)
        form.fields[name] = BORN if is_birth else element.get("value") or usual.get(kind, "")
    else:
        form.fields[name] = element.get("value") or (element.text or "" if kind == "textarea" else "")
        form.open[name] = kind
