"""What a draft holds: one text, sealed whole. Pure."""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.sent_patients.actions import Described

MOST_UNITS: Final = 5
MOST_FILES: Final = 12
GESTURES: Final = ("add", "remove", "up", "down")


@dataclass(frozen=True)
class KeptFile:
    """A file that came already. code: which one the first unit asked for, "" for any other. letter: what a CDA letter
    says it is, and of which day."""

    id: UUID
    name: str
    code: str = ""
    sha256: str = ""
    letter: str = ""


@dataclass(frozen=True, repr=False)
class Content:
    """Everything typed or chosen so far. offers: in the practitioner's order. answers: to the questions of
    `questionnaire_id`, as services.questionnaires.answers dumps them."""

    birth_name: str = ""
    first_name: str = ""
    birth_on: date | None = None
    sex: str = ""
    mobile: str = ""
    email: str = ""
    postal_address: str = ""
    patient_informed: bool = False
    kind: str = ""
    question: str = ""
    offers: tuple[UUID, ...] = ()
    urgency: str = ""
    questionnaire_id: UUID | None = None
    answers: str = ""
    files: tuple[KeptFile, ...] = field(default=())

    @property
    def patient_name(self) -> str:
        return f"{self.first_name} {self.birth_name.upper()}".strip()

    def described(self) -> Described:
        assert self.birth_on is not None, "the first step asks for it"
        return Described(self.birth_name, self.first_name, self.birth_on, self.sex, self.mobile, self.email)


def dump(content: Content) -> str:
    """JSON, to be sealed."""
    return json.dumps(asdict(content), ensure_ascii=False, default=str)


def load(text: str) -> Content:
    """The content again. A field of a former version of the portal is left out."""
    known = Content.__dataclass_fields__
    told = {name: value for name, value in json.loads(text).items() if name in known and value not in (None, [])}
    return Content(**told | {name: _read(name, told[name]) for name in _READ if name in told})


def _read(name: str, value: Any) -> Any:
    if name == "birth_on":
        return date.fromisoformat(value)
    if name == "questionnaire_id":
        return UUID(value)
    if name == "offers":
        return tuple(UUID(each) for each in value)
    return tuple(KeptFile(**each | {"id": UUID(each["id"])}) for each in value)


_READ: Final = ("birth_on", "questionnaire_id", "offers", "files")


class TooMany(Exception):
    """More units, or more files, than a request takes."""


def arranged(offers: tuple[UUID, ...], gesture: str, offer_id: UUID) -> tuple[UUID, ...]:
    """The list after one gesture (GESTURES); a gesture that makes no sense changes nothing. Raises TooMany."""
    if gesture == "add" and offer_id not in offers:
        if len(offers) >= MOST_UNITS:
            raise TooMany
        return (*offers, offer_id)
    if offer_id not in offers:
        return offers
    at = offers.index(offer_id)
    others = [each for each in offers if each != offer_id]
    if gesture == "remove":
        return tuple(others)
    if gesture in ("up", "down"):
        others.insert(max(0, at - 1) if gesture == "up" else at + 1, offer_id)
        return tuple(others)
    return offers


def with_file(content: Content, kept: KeptFile) -> Content:
    """The same file, sent twice, is there once; another one for the same code takes no place away. Raises TooMany."""
    if any(each.sha256 == kept.sha256 and each.code == kept.code for each in content.files):
        return content
    if len(content.files) >= MOST_FILES:
        raise TooMany
    return replace(content, files=(*content.files, kept))


def without_file(content: Content, file_id: UUID) -> Content:
    return replace(content, files=tuple(each for each in content.files if each.id != file_id))
