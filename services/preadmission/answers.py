"""What a person answers, one class a step (domain reference, 4.1). Texts are stripped; "" means not answered.

Nothing here asks for ethnicity, origin or religion: it is forbidden (IHE PAM France, PID-10, PID-17, NK1-25). Health
questions are questionnaires, another room that the admissions office cannot read.
"""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict

Accident = Literal["none", "work", "road", "other"]
Protection = Literal["none", "guardianship", "curatorship", "family", "safeguard"]
"""Protected adult: tutelle, curatelle, habilitation familiale or mandate for future protection, sauvegarde."""
Authority = Literal["", "both", "sole", "third"]
"""Who decides for a child: both parents, one alone (judgement, death, sole recognition), or somebody else (ASE…)."""
AmoKind = Literal["french", "ame", "european", "convention", "none"]
"""Compulsory cover: French scheme, State medical aid (AME), European card, a form such as S2 or SE 352, none."""
AmcKind = Literal["private", "c2s", "none"]
"""Complementary cover: an insurer (mutuelle), Complémentaire santé solidaire, none."""


class Answers(BaseModel):
    """The answers of one step."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)
    step: ClassVar[str]


class Situation(Answers):
    """What decides what else is asked."""

    step = "situation"
    accident: Accident = "none"
    protection: Protection = "none"
    authority: Authority = ""


class Identity(Answers):
    """How the person is called and reached; strict identity traits are FranceConnect's, not theirs to type.

    phone, E.164 or as dialled in France. country: ISO 3166-1 alpha-2. interpreter: ISO 639-1 language, "" for none.
    """

    step = "identity"
    used_name: str = ""
    used_first_name: str = ""
    phone: str = ""
    email: str = ""
    street: str = ""
    complement: str = ""
    postcode: str = ""
    town: str = ""
    country: str = "FR"
    interpreter: str = ""

    @property
    def address(self) -> tuple[str, ...]:
        """The lines of a letter, without the country when it is France."""
        place = f"{self.postcode} {self.town}".strip()
        abroad = self.country if self.country != "FR" else ""
        return tuple(filter(None, (self.street, self.complement, place, abroad)))


class Doctor(Answers):
    """Médecin traitant. rpps: eleven digits, "" when they were not chosen from the directory."""

    step = "doctor"
    has_one: bool = True
    name: str = ""
    town: str = ""
    rpps: str = ""


class Coverage(Answers):
    """Compulsory (AMO) and complementary (AMC) cover.

    nir: 15 digits, key included, of the insured person. scheme, fund, centre: régime, caisse, centre (2, 3, 4 digits).
    """

    step = "coverage"
    amo_kind: AmoKind
    nir: str = ""
    insured: Literal["self", "parent", "spouse", "other"] = "self"
    insured_name: str = ""
    insured_born_on: date | None = None
    scheme: str = ""
    fund: str = ""
    centre: str = ""
    exemption: Literal["none", "long_illness", "disability", "other"] = "none"
    rights_until: date | None = None
    amc_kind: AmcKind = "none"
    amc_name: str = ""
    amc_number: str = ""
    member_number: str = ""
    amc_until: date | None = None


class AccidentFacts(Answers):
    """An accident at work, on the road or another one."""

    step = "accident"
    happened_on: date
    number: str = ""
    employer: str = ""
    other_party: str = ""


class Maternity(Answers):
    """A birth to come. Health questions (previous births, risks) are a questionnaire. second_parent: optional.

    due_on: expected day of birth. last_period_on: first day of the last period; began_on: start of pregnancy, as an
    ultrasound dated it. other_sites: ids of sites of the group that would do as well, the preferred one first.
    """

    step = "maternity"
    due_on: date
    last_period_on: date | None = None
    began_on: date | None = None
    multiple: bool = False
    follow_up: Literal["hospital", "midwife", "doctor", "none"] = "hospital"
    second_parent: str = ""
    other_sites: tuple[str, ...] = ()


class Holders(Answers):
    """Who holds parental authority; the second one, or the third person, is asked to sign.

    first_name: the whole name of the holder who fills in the file. second_first_name, second_name: first and family
    name of the other one. why_sole: what makes one holder enough. third_party: the person or the service in charge.
    signing: how the second one signs.
    """

    step = "holders"
    first_name: str = ""
    second_first_name: str = ""
    second_name: str = ""
    second_email: str = ""
    second_phone: str = ""
    signing: Literal["online", "paper", ""] = ""
    why_sole: Literal["judgement", "death", "recognition", ""] = ""
    third_kind: Literal["welfare", "guardian", "delegate", ""] = ""
    third_party: str = ""
    third_phone: str = ""

    @property
    def second(self) -> str:
        """The other holder's whole name."""
        return f"{self.second_first_name} {self.second_name}".strip()


class Protector(Answers):
    """Who protects an adult, and until when the measure runs."""

    step = "protector"
    name: str = ""
    organisation: str = ""
    phone: str = ""
    email: str = ""
    ends_on: date | None = None


class Relative(Answers):
    """Whom to call if needed. Not the person of trust, who is named in writing and signs."""

    step = "relative"
    name: str
    link: str
    phone: str


class Trust(Answers):
    """Person of trust (personne de confiance, CSP L1111-6): an adult, named in writing, who co-signs; revocable."""

    step = "trust"
    wanted: Literal["yes", "already", "no"]
    first_name: str = ""
    name: str = ""
    link: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    signing: Literal["online", "paper", ""] = ""

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.name}".strip()


class Room(Answers):
    """The days at the hospital. price_cents, priced_on: what a day in a single room cost, as it was shown to the person
    who chose, and when it was shown; 0 when the hospital had set no price. diet_words: what the kitchen must know.
    """

    step = "room"
    room: Literal["shared", "single", ""] = ""
    price_cents: int = 0
    priced_on: date | None = None
    payer: Literal["insurer", "self", ""] = ""
    diet: Literal["none", "medical", "taste"] = "none"
    diet_words: str = ""
    companion: bool = False
    companion_name: str = ""
    companion_phone: str = ""
    transport: Literal["own", "relative", "taxi", "ambulance", ""] = ""
    transport_prescribed: bool = False


class Directives(Answers):
    """Advance directives (CSP L1111-11): whether they exist and where they are kept; never required."""

    step = "directives"
    exist: Literal["yes", "no", "unsaid"] = "unsaid"
    kept: Literal["", "record", "doctor", "relative", "here"] = ""
    holder: str = ""


class Choices(Answers):
    """Three choices, each with its legal nature, and the version of the text that was read.

    record_opposed: opposition to feeding Mon espace santé, for a legitimate reason (it is information, no consent).
    outside_team: explicit consent to consultation by professionals outside the care team; None when not answered.
    by_text, by_mail: consent to messages.
    """

    step = "choices"
    record_opposed: bool = False
    record_reason: str = ""
    outside_team: bool | None = None
    by_text: bool = False
    by_mail: bool = False
    confidential: bool = False
    text_version: str = ""


STEPS: Final[Mapping[str, type[Answers]]] = {
    each.step: each
    for each in (
        Situation, Identity, Doctor, Coverage, AccidentFacts, Maternity, Holders, Protector, Relative, Trust, Room,
        Directives, Choices,
    )
}  # fmt: skip
"""Step → the class of its answers, in the order of the pages."""
