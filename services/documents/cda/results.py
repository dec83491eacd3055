"""The results of a laboratory in the coded entries of a structured document (CI-SIS, volet CR-BIO; IHE PALM XD-LAB).

Only observations that say they are a laboratory's are read: a diagnosis or a weight is coded the same way, and is no
result. What a result is called is what the letter calls it, where the entry points at the words of its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from lxml import etree

from services.documents.cda.document import MAX_BYTES, NAMESPACE, body_of, child, children, open_document, text_of
from services.documents.cda.header import read_moment

MAX_RESULTS: Final = 2_000  # of one document; a large blood count has 60
_MAX_TEXT: Final = 300
_HL7: Final = f"{{{NAMESPACE}}}"
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
# Laboratory Observation (IHE PALM), and the French element that builds on it.
_OF_LABORATORIES: Final = frozenset({"1.3.6.1.4.1.19376.1.3.1.6", "1.2.250.1.213.1.1.3.80"})
_MARKS: Final = frozenset({"N", "H", "L", "HH", "LL", "A", "AA"})
_COMPARED: Final = {("low", False): ">", ("low", True): "≥", ("high", False): "<", ("high", True): "≤"}


@dataclass(frozen=True)
class Quantity:
    """A value as it was written, and as a number when it is one."""

    text: str = ""
    number: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class Result:
    """One result. low, high: the ends of the usual range; flag: HL7 ObservationInterpretation, "" when unmarked."""

    group: str
    label: str
    code: str
    value: Quantity
    low: Quantity
    high: Quantity
    usual: str  # the range when it is said in words
    flag: str
    at: datetime | None


def results(data: bytes, max_bytes: int = MAX_BYTES) -> list[Result]:
    """Return the laboratory results of an N3 document, none for others. Raises as `narrative`."""
    root = open_document(data, max_bytes)
    body = body_of(root)
    if body.is_file:
        return []
    words = {element.get("ID", ""): element for element in root.iter(_HL7 + "content", _HL7 + "td", _HL7 + "paragraph")}
    found: list[Result] = []
    for title, observation in _observations(body.element, ""):
        result = _result(title, observation, words)
        if result.label and result.value.text:
            found.append(result)
        if len(found) == MAX_RESULTS:
            break
    return found


def _observations(parent: etree._Element, title: str) -> Iterator[tuple[str, etree._Element]]:
    """The laboratory's observations in reading order, each with the title above it."""
    for component in children(parent, "component"):
        section = child(component, "section")
        if section is None:
            continue
        own = text_of(child(section, "title"))[:_MAX_TEXT] or title
        for entry in children(section, "entry"):
            for observation in entry.iter(_HL7 + "observation"):
                if any(each.get("root") in _OF_LABORATORIES for each in children(observation, "templateId")):
                    yield own, observation
        yield from _observations(section, own)


def _result(title: str, observation: etree._Element, words: dict[str, etree._Element]) -> Result:
    code = child(observation, "code")
    usual = next((child(each, "observationRange") for each in children(observation, "referenceRange")), None)
    low, high = _ends(child(usual, "value"))
    return Result(
        group=title,
        label=_label(code, words),
        code=_attribute(code, "code"),
        value=_value(child(observation, "value"), words),
        low=low,
        high=high,
        usual=_pointed(child(usual, "text"), words),
        flag=_flag(children(observation, "interpretationCode")),
        at=read_moment(_attribute(child(observation, "effectiveTime"), "value"))[0],
    )


def _label(code: etree._Element | None, words: dict[str, etree._Element]) -> str:
    return _pointed(child(code, "originalText"), words) or _attribute(code, "displayName") or _attribute(code, "code")


def _pointed(text: etree._Element | None, words: dict[str, etree._Element]) -> str:
    """What an element says: the words of the letter it points at, else its own."""
    reference = _attribute(child(text, "reference"), "value")
    target = words.get(reference.removeprefix("#")) if reference.startswith("#") else None
    return text_of(target if target is not None else text)[:_MAX_TEXT]


def _value(value: etree._Element | None, words: dict[str, etree._Element]) -> Quantity:
    if value is None:
        return Quantity()
    kind = value.get(_TYPE, "").rpartition(":")[2]
    if kind in ("PQ", "INT", "REAL", "MO"):
        return _quantity(value)
    if kind == "IVL_PQ":
        return _interval(value)
    if kind in ("RTO", "RTO_PQ_PQ"):
        parts = [_quantity(child(value, name)) for name in ("numerator", "denominator")]
        return Quantity(" / ".join(f"{each.text} {each.unit}".strip() for each in parts if each.text))
    if kind == "BL":
        return Quantity({"true": "+", "false": "−"}.get(value.get("value", ""), ""))
    return Quantity(_attribute(value, "displayName") or _pointed(child(value, "originalText"), words) or _said(value))


def _said(value: etree._Element) -> str:
    return text_of(value)[:_MAX_TEXT] or _attribute(value, "code")


def _quantity(value: etree._Element | None) -> Quantity:
    text = _attribute(value, "value")
    unit = _attribute(value, "unit")
    return Quantity(text, _number(text), "" if unit == "1" else unit)  # UCUM writes what has no unit as 1


def _interval(value: etree._Element) -> Quantity:
    """A value that is only known to lie beyond a limit (`< 5`), or between two."""
    low, high = _ends(value)
    if low.text and high.text:
        return Quantity(f"{low.text} – {high.text}", unit=low.unit or high.unit)
    for name, end in (("low", low), ("high", high)):
        if end.text:
            includes = _attribute(child(value, name), "inclusive") != "false"
            return Quantity(f"{_COMPARED[name, includes]} {end.text}", unit=end.unit)
    return Quantity()


def _ends(value: etree._Element | None) -> tuple[Quantity, Quantity]:
    return _quantity(child(value, "low")), _quantity(child(value, "high"))


def _flag(codes: list[etree._Element]) -> str:
    return next((code for each in codes if (code := _attribute(each, "code").upper()) in _MARKS), "")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def _attribute(element: etree._Element | None, name: str) -> str:
    value = element.get(name, "") if element is not None else ""
    return " ".join(value.split())[:_MAX_TEXT]
