"""What the legal pages are made from: one class a page, read from and kept as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, TypeVar

RGAA: Final = "4.1.2"

Content = TypeVar("Content")


@dataclass(frozen=True)
class Accessibility:
    """The statement (arrêté of 20 September 2019, annex). rate_permille: criteria met among those that apply, in
    thousandths; None without an audit. Lists hold one entry a line."""

    rate_permille: int | None = None
    audited_on: date | None = None
    auditor: str = ""
    rgaa: str = RGAA
    non_compliances: str = ""
    derogations: str = ""
    exempt: str = ""
    technologies: str = ""
    environments: str = ""
    pages: str = ""
    email: str = ""
    phone: str = ""
    scheme: str = ""

    @property
    def status(self) -> str:
        """full, partly (half of the criteria or more) or not: the words that the home page must use."""
        if self.rate_permille is None or self.rate_permille < 500:
            return "not"
        return "full" if self.rate_permille >= 1000 else "partly"


@dataclass(frozen=True)
class Legal:
    """Who publishes and who hosts (law no. 2004-575 of 21 June 2004, art. 1-1)."""

    director: str = ""
    publisher: str = ""
    host_name: str = ""
    host_address: str = ""
    host_phone: str = ""
    host_certificate: str = ""
    security_email: str = ""
    credits: str = ""


@dataclass(frozen=True)
class PersonalData:
    """Who answers for data at one hospital (GDPR, articles 13 and 30)."""

    controller: str = ""
    dpo_name: str = ""
    dpo_email: str = ""
    dpo_phone: str = ""
    dpo_address: str = ""
    more: str = ""


KINDS: Final[Mapping[str, type[Any]]] = {"accessibility": Accessibility, "legal": Legal, "personal-data": PersonalData}


def read(kind: type[Content], kept: Mapping[str, Any]) -> Content:
    """From what was kept, perhaps by a former or a later release: what is not known is left out."""
    known = {each.name: kept[each.name] for each in fields(kind) if each.name in kept}  # type: ignore[arg-type]  # dataclasses all
    if known.get("audited_on"):
        known["audited_on"] = date.fromisoformat(known["audited_on"])
    return kind(**known)


def plain(content: Any) -> dict[str, Any]:
    """As JSON holds it."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(content).items()}


def lines(text: str) -> list[str]:
    """The entries of a list that was typed one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]
