"""The operators of a hospital's boxes: their addresses and papers, which are settings, and the doors to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from portal import establishments
from portal.config import Settings
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting
from portal.gateways import DoorError, LeftAlone, OutcomeUnknown, Refused, UnsupportedUrl, mssante, reach
from portal.gateways.mssante import Auth, NotLetIn, Operator, Papers, Untrusted
from portal.gateways.mssante.url import parse
from services.documents.mailboxes.models import Mailbox

ADDRESS: Final = mssante.SETTINGS[0]
"""A hospital's setting: the operator of its boxes that name no other."""
PAPERS: Final = mssante.SETTINGS[1:]
"""Its settings: the authorities that it accepts, its certificate and its key, the list of revoked certificates. Each is
the path of a file or its text; the list may be where it is published."""
PRODUCT: Final = "mssante_product"
"""Its setting: the reference of the product in the list of the ANS (X-MSS-NIL)."""
USUAL_PRODUCT: Final = "PARVIS"
ERROR_RECEIPTS: Final = "mssante_error_receipts"
"""Its setting, who is told by a receipt that a letter was not filed: `no`; `refused`, whose parcel is in quarantine;
`all`, those too whose letter waits in the tray."""
_ERROR_RECEIPTS: Final = ("no", "refused", "all")
_SECRET: Final = frozenset({ADDRESS, mssante.SETTINGS[3]})


class NoOperator(Exception):
    """Neither the box nor its hospital names an operator."""


class PersonalBox(Exception):
    """A personal box opens with its holder's Pro Santé Connect session alone: no job may read it or write from it."""


class NotAChoice(ValueError):
    """A setting has another value than those it may have."""


@dataclass(frozen=True)
class Way:
    """How a box is reached: its operator's name for people, and what the door is told of the box."""

    host: str
    box: mssante.Box
    operator: Operator

    def check(self) -> None:
        """Return if the operator answers, proves who it is and lets the box in. Raises DoorError."""
        self.operator.check(self.box)


@dataclass
class _Doors:
    production: bool = True
    known: dict[tuple[str, Papers], Operator] = field(default_factory=dict)


_doors = _Doors()


def configure(settings: Settings) -> None:
    """Say what kind of instance this is."""
    _doors.production = settings.is_production
    _doors.known.clear()


def is_production() -> bool:
    """Whether this instance holds real identities."""
    return _doors.production


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: whether it is a secret. Raises UnsupportedUrl, NotAChoice."""
    if key == ADDRESS and value:
        check_address(value)
    if key == ERROR_RECEIPTS and value not in _ERROR_RECEIPTS:
        raise NotAChoice(f"{ERROR_RECEIPTS} is {', '.join(_ERROR_RECEIPTS)}")
    return key in _SECRET


def check_address(url: str) -> None:
    """Raises UnsupportedUrl, with words for whoever typed it."""
    found = parse(url)
    if _doors.production and (found.auth is Auth.PASSWORD or found.is_loopback):
        raise UnsupportedUrl("mssante: production opens boxes by auth=xoauth2 or auth=client_cert, never on itself")
    for host in (found.smtp, found.imap):
        reach.current().check(host.name, host.port)


def url_of(box: Mailbox) -> str:
    """The address of its operator, with its secrets. Raises NoOperator."""
    if url := box.url or establishments.setting(box.establishment_id, ADDRESS):
        return url
    raise NoOperator


def host_of(box: Mailbox) -> str:
    """Its operator, as people may read it: no user, no secret. Raises NoOperator, UnsupportedUrl."""
    return str(parse(url_of(box)).smtp)


def way_to(box: Mailbox) -> Way:
    """Open no connection yet. Raises PersonalBox, NoOperator, UnsupportedUrl."""
    if box.kind == "PER":
        raise PersonalBox
    url = url_of(box)
    return Way(str(parse(url).smtp), mssante.Box(box.address), _operator(url, papers_of(box.establishment_id)))


def papers_of(establishment_id: UUID) -> Papers:
    """What the hospital gave; a loopback operator is proved nothing to where there are none."""
    return Papers(*establishments.settings(establishment_id, PAPERS).values())


def certificates() -> Iterator[tuple[str, datetime | None]]:
    """FINESS number and end of each hospital's own certificate (None: it cannot be read); as the system."""
    query = select(Establishment.finess, EstablishmentSetting).join(
        Establishment, Establishment.id == EstablishmentSetting.establishment_id
    )
    for finess, row in session.execute(query.where(EstablishmentSetting.key == PAPERS[1])):
        if row.opened:
            yield finess, mssante.ends_at(row.opened)


def _operator(url: str, papers: Papers) -> Operator:
    """One for all boxes of an address: they share its breakers."""
    key = (url, papers)
    if key not in _doors.known:
        _doors.known[key] = mssante.connect(url, papers, production=_doors.production)
    return _doors.known[key]


def trouble_of(error: Exception) -> str:
    """Our word for what is wrong (`wording.TROUBLES`)."""
    for kind, word in _TROUBLES:
        if isinstance(error, kind):
            return word
    return "other"


_TROUBLES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (PersonalBox, "personal_box"),
    (NoOperator, "no_operator"),
    (UnsupportedUrl, "address"),
    (NotLetIn, "not_let_in"),
    (Untrusted, "untrusted"),
    (LeftAlone, "away"),
    (Refused, "box_refused"),
    (OutcomeUnknown, "away"),
    (DoorError, "away"),
)
