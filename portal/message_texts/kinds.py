"""Every kind of message that the portal sends, declared where its words are, with a sample of it.

A sample is the message itself, made with placeholders (`{reference}`) where the true one has values: the text that a
hospital starts from is the one that is sent, in each language, and nobody writes it twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from flask_babel import get_locale

PATIENT, PROFESSIONAL, STAFF, ANYBODY = "patient", "professional", "staff", "anybody"
MAIL, TEXT = "mail", "text"
LINK = "link"
"""The placeholder that every message has: where it leads."""
_ADDRESSES: Final = {"path", "token", "stop", "link"}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Mail:
    """A message as an object; texts are lazy translations. path: where the portal's link leads.

    kind: of the news that it tells a practitioner or an agent, who choose how often they are told of that kind; "" is
    sent as it is, whatever they chose. urgent: told at once, day and night. code: the declared kind of message that it
    is, and values: what its placeholders stand for (see `message`); both are written by the declaration.
    """

    subject: Any
    paragraphs: tuple[Any, ...]
    path: str = "/"
    kind: str = ""
    urgent: bool = False
    code: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)


Made = Mail | tuple[str, str] | str
"""A mail, its subject and text, or a text message."""


@dataclass(frozen=True)
class Kind:
    """One kind of message. code: `room.what`, as it is kept. to: who reads it. sample: makes it with placeholders.

    at_hospital: it is about one hospital, which may say it in its own words. required: the placeholders without which
    it would be of no use. path: where it leads, when the sample does not say so. only: the one language it is sent in,
    when the reader's is not known.
    """

    code: str
    sample: Callable[[], Made]
    to: str = PATIENT
    at_hospital: bool = False
    channel: str = MAIL
    required: tuple[str, ...] = ()
    path: str = "/"
    only: str = ""

    @property
    def room(self) -> str:
        return self.code.partition(".")[0]


_kinds: dict[str, Kind] = {}


def offer(kind: Kind) -> None:
    """Declare a kind. Raises ValueError: another one has its code."""
    known = _kinds.get(kind.code)
    if known is not None and known.sample.__module__ != kind.sample.__module__:
        raise ValueError(kind.code)
    _kinds[kind.code] = kind


def every() -> list[Kind]:
    """By room, then by code."""
    return sorted(_kinds.values(), key=lambda kind: kind.code)


def of(code: str) -> Kind | None:
    return _kinds.get(code)


def message(
    code: str,
    to: str = PATIENT,
    *,
    sample: Mapping[str, Any] | None = None,
    each: Mapping[str, Mapping[str, Any]] | None = None,
    which: Callable[[Mapping[str, Any]], str] | None = None,
    values: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    **more: Any,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the message that a function makes (a Mail, subject and text, or a text), and stamp the Mails it makes.

    Its parameters of type str and int are its placeholders; what else it needs is given by `sample`, and then the
    placeholders by `values`, from the arguments by their names. A function that makes several messages says `which`
    (a code after ours) from them too, and `each`: code → what to add to the sample. more: see `Kind`.
    """

    def declare(make: Callable[P, R]) -> Callable[P, R]:
        known = signature(make)
        for name, added in (each or {"": {}}).items():
            given = {**_filled(known.parameters), **(sample or {}), **added}
            offer(Kind(_join(code, name), _sampled(make, given), to, **more))

        @wraps(make)
        def made(*args: P.args, **kwargs: P.kwargs) -> R:
            found = make(*args, **kwargs)
            if not isinstance(found, Mail):
                return found
            given = known.bind(*args, **kwargs).arguments
            told = values(given) if values else _plain(given)
            name = which(given) if which else ""
            stamped: Any = replace(found, code=_join(code, name), values=told)
            return stamped  # type: ignore[no-any-return]  # a Mail, as what was made

        return made

    return declare


def named(code: str, mail: Mail, to: str = PATIENT, **more: Any) -> Mail:
    """Declare a message that is always the same; more: see `Kind`."""
    stamped = replace(mail, code=code)
    offer(Kind(code, lambda: stamped, to, **more))
    return stamped


def _join(code: str, name: str) -> str:
    return f"{code}_{name}" if name else code


def _sampled(make: Callable[..., Any], given: Mapping[str, Any]) -> Callable[[], Made]:
    """Made in the language that is asked for, by those too that are told which language their reader has."""

    def sample() -> Made:
        here = {"locale": str(get_locale() or "fr")} if given.get("locale") == "" else {}
        found: Made = make(**{**given, **here})
        return found

    sample.__module__ = make.__module__
    return sample


def _filled(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """What stands for each parameter in a sample."""
    return {name: _standing_for(name, each.annotation) for name, each in parameters.items()}


def _standing_for(name: str, annotation: Any) -> Any:
    if name in _ADDRESSES:
        return "/"
    if name == "locale":
        return ""
    if annotation in (str, int):
        return f"{{{name}}}"
    return UUID(int=0) if annotation in (UUID, UUID | None) else True


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in arguments.items()
        if isinstance(value, (str, int)) and not isinstance(value, bool) and name not in _ADDRESSES
    }
