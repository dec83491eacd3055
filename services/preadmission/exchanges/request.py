"""What is asked of the hospital's system for one file: pure values, whatever the format in which they are sent."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Action = Literal["INSERT", "UPDATE", "CANCEL"]


@dataclass(frozen=True)
class Person:
    """The patient. ipp: of that hospital, "" when unknown. ins: "" unless the identity is qualified.

    status: PROV, RECUP, VALI or QUAL. birthplace: INSEE code of the town, or of the country of who was born abroad.
    """

    portal_id: str
    birth_name: str
    first_names: tuple[str, ...]
    birth_on: date
    sex: str = ""
    used_name: str = ""
    used_first_name: str = ""
    birthplace: str = ""
    status: str = "PROV"
    ins: str = ""
    ins_oid: str = ""
    ipp: str = ""
    phone: str = ""
    email: str = ""
    street: str = ""
    complement: str = ""
    postcode: str = ""
    town: str = ""
    country: str = "FR"

    @property
    def first_name(self) -> str:
        return self.first_names[0] if self.first_names else ""


@dataclass(frozen=True)
class Doctor:
    """Médecin traitant."""

    name: str
    town: str = ""
    rpps: str = ""


@dataclass(frozen=True)
class Contact:
    """role: C, to be called; K, person of trust. link: as in the answers (spouse, parent…)."""

    role: Literal["C", "K"]
    name: str
    link: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True)
class Cover:
    """One cover. payer: AMO (compulsory) or AMC (complementary). code: régime, caisse, centre; or the AMC's number.

    kind: as in the answers (french, ame, private, c2s…). insured_id: the NIR for AMO, the member's number for AMC.
    nature: 10 illness, 30 maternity, 41 accident at work. proof: the kind of piece that was accepted, "" for none.
    """

    payer: Literal["AMO", "AMC"]
    kind: str
    code: str = ""
    name: str = ""
    until: date | None = None
    exemption: str = "none"
    insured: str = "self"
    insured_name: str = ""
    insured_on: date | None = None
    insured_id: str = ""
    nature: str = ""
    number: str = ""
    proof: str = ""


@dataclass(frozen=True)
class Accident:
    """kind: work, road, other."""

    kind: str
    happened_on: date
    number: str = ""


@dataclass(frozen=True)
class Choices:
    """Opposition to feeding Mon espace santé; consent to consultation outside the team (None: not said), to SMS."""

    record_opposed: bool = False
    outside_team: bool | None = None
    by_text: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Piece:
    """A piece that goes with the file. files: names under which its pages are put."""

    kind: str
    state: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stay:
    """uf: the unit's code here. patient_class: HL7 table 0004."""

    kind: str
    planned_on: date
    patient_class: str
    uf: str
    unit_name: str
    site: str
    confidential: bool = False
    transport: str = ""
    room: str = ""
    diet: str = ""
    companion: bool = False


@dataclass(frozen=True)
class Request:
    """One file to send. reference: our pre-admit number. control_id: of this message. decided_at: when it changed."""

    reference: str
    action: Action
    control_id: str
    sent_at: datetime
    decided_at: datetime
    tz: ZoneInfo
    person: Person
    stay: Stay
    visit_number: str = ""
    doctor: Doctor | None = None
    contacts: tuple[Contact, ...] = ()
    covers: tuple[Cover, ...] = ()
    accident: Accident | None = None
    choices: Choices = field(default_factory=Choices)
    interpreter: str = ""
    pieces: tuple[Piece, ...] = ()
