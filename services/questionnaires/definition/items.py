"""A questionnaire as objects: words in several languages, items, conditions, alerts. Nothing here can be changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

GROUP = "group"
DISPLAY = "display"
QUESTIONS = (
    "boolean", "choice", "open-choice", "string", "text", "integer", "decimal", "date", "quantity",
)  # fmt: skip
KINDS = (GROUP, DISPLAY, *QUESTIONS)
"""Item types of R4 that we take; `reference`, `attachment`, `time`, `dateTime` and `url` are not among them."""
CHOICES = ("choice", "open-choice")
NUMBERS = ("integer", "decimal", "quantity")
OPERATORS = ("exists", "=", "!=", ">", "<", ">=", "<=")
"""Of `enableWhen.operator`."""


@dataclass(frozen=True)
class Coding:
    """What a choice is stored as."""

    code: str
    system: str = ""


@dataclass(frozen=True)
class Quantity:
    """A measure; unit: as people write it."""

    value: Decimal
    unit: str = ""


Value = bool | int | Decimal | date | str | Coding | Quantity
"""One answer. A `str` answers text, and what is written beside an open choice."""
Answers = Mapping[str, tuple[Value, ...]]
"""linkId → its answers, in order; a question without an answer is not in it."""


@dataclass(frozen=True)
class Words:
    """A text in the questionnaire's language, and its translations (language → text)."""

    text: str
    translations: Mapping[str, str] = field(default_factory=dict)

    def in_(self, locale: str) -> str:
        return self.translations.get(locale) or self.text


@dataclass(frozen=True)
class Option:
    """A choice. is_alert: whoever ticks it is called back."""

    coding: Coding
    words: Words
    is_alert: bool = False


@dataclass(frozen=True)
class Alert:
    """Which answers are an alert: yes or no to a boolean, a number beyond a bound (the bound itself is not)."""

    answer: bool | None = None
    below: Decimal | None = None
    above: Decimal | None = None


@dataclass(frozen=True)
class Condition:
    """Of `enableWhen`. answer: of the type of the question looked at; True or False for `exists`."""

    question: str
    operator: str
    answer: Value


@dataclass(frozen=True)
class Item:
    """A question, a group of items, or words to read. kind: one of KINDS. every: all conditions, or one of them."""

    link_id: str
    kind: str
    words: Words
    required: bool = False
    repeats: bool = False
    max_length: int | None = None
    lowest: Decimal | date | None = None
    highest: Decimal | date | None = None
    unit: str = ""
    options: tuple[Option, ...] = ()
    conditions: tuple[Condition, ...] = ()
    every: bool = True
    alert: Alert | None = None
    items: tuple["Item", ...] = ()

    @property
    def is_question(self) -> bool:
        return self.kind in QUESTIONS

    def option(self, coding: Coding) -> Option | None:
        return next((each for each in self.options if each.coding == coding), None)

    def walk(self) -> Iterator["Item"]:
        """Itself and all below it, in the order they are asked."""
        yield self
        for each in self.items:
            yield from each.walk()


@dataclass(frozen=True)
class Definition:
    """A whole questionnaire. language: of its texts; translations come beside them. minutes: to answer it, about."""

    title: Words
    items: tuple[Item, ...]
    language: str = "fr"
    description: str = ""
    minutes: int | None = None

    def walk(self) -> Iterator[Item]:
        """Every item, in the order they are asked."""
        for each in self.items:
            yield from each.walk()

    def item(self, link_id: str) -> Item | None:
        return next((each for each in self.walk() if each.link_id == link_id), None)

    @property
    def questions(self) -> list[Item]:
        return [each for each in self.walk() if each.is_question]

    @property
    def languages(self) -> list[str]:
        """Its own, then those of its title's translations."""
        return [self.language, *sorted(set(self.title.translations) - {self.language})]
