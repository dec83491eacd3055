"""FHIR JSON read with care: every field may be missing, or of another type. Pure."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
Identifier = tuple[str, str]
"""System and value."""
_LONGEST: Final = 4000
_MOST: Final = 40


class Unreadable(Exception):
    """The resource lacks something, or says it in a way we do not read. expression: where."""

    def __init__(self, text: str, expression: str) -> None:
        super().__init__(text, expression)
        self.text, self.expression = text, expression


def listed(value: Any, where: str) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, dict) for each in value):
        raise Unreadable(f"a list of at most {_MOST} objects", where)
    return value


def object_(value: Any, where: str) -> Json:
    if value is not None and not isinstance(value, dict):
        raise Unreadable("an object", where)
    return value or {}


def text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Unreadable(f"a text of at most {_LONGEST} signs", where)
    return value.strip()


def identifiers(value: Any, where: str) -> Iterator[Identifier]:
    for each in listed(value, where):
        pair = text(each.get("system"), f"{where}.system"), text(each.get("value"), f"{where}.value")
        if not all(pair) or any(len(part) > 255 for part in pair):
            raise Unreadable("a system and a value, of at most 255 signs", where)
        yield pair


def codings(concept: Any, where: str) -> Iterator[Identifier]:
    """System and code of each coding."""
    for each in listed(object_(concept, where).get("coding"), f"{where}.coding"):
        yield text(each.get("system"), f"{where}.coding.system"), text(each.get("code"), f"{where}.coding.code")


def content(data: Any, where: str) -> bytes:
    if not isinstance(data, str) or not data:
        raise Unreadable("the bytes are needed: in data, or in a Binary", where)
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("not base64", where) from None


@dataclass(frozen=True, repr=False)
class Around:
    """The resources that one may refer to: contained ones (`#id`), and those of the same bundle, by their fullUrl or
    as `Type/id`."""

    contained: Mapping[str, Json]
    others: Mapping[str, Json] = field(default_factory=dict)

    def of(self, reference: Any, kind: str, where: str) -> Json:
        """The resource that a Reference names; {} when it names none, but by identifier. Raises Unreadable."""
        named = text(object_(reference, where).get("reference"), f"{where}.reference")
        if not named:
            return {}
        found = self.contained.get(named[1:]) if named.startswith("#") else self.others.get(named)
        if found is None or found.get("resourceType") != kind:
            raise Unreadable(f"no {kind} of this message is called so", f"{where}.reference")
        return found


def around(resource: Json, others: Mapping[str, Json] | None = None) -> Around:
    inside = {str(each.get("id")): each for each in listed(resource.get("contained"), "contained")}
    return Around(inside, others or {})
