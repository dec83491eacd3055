"""What the portal does with people's data, by service: the words of the public page and of the register (GDPR, articles
13 and 30). How long comes from the rules of retention, by their codes; who answers for it, from each hospital."""

from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l

MISSION: Final = _l("Mission of public interest of the hospital (GDPR, 6.1.e; 9.2.h for health data)")
OBLIGATION: Final = _l("Legal obligation of the hospital (GDPR, 6.1.c)")
CARE_TEAM: Final = _l("Agents of the hospital who hold the right for it, and the care team")


@dataclass(frozen=True)
class Processing:
    """One line of the register. service: code of the card, "" when it is not a service on offer. rules: codes of
    retention; otherwise `kept` says how long."""

    code: str
    title: Any
    purpose: Any
    people: Any
    data: Any
    recipients: Any
    basis: Any = MISSION
    service: str = ""
    rules: tuple[str, ...] = ()
    kept: Any = ""


_PATIENTS = _l("Patients, and those who act for them")
_PROFESSIONALS = _l("Health professionals")

REGISTER: Final = (
    Processing(
        "accounts", _l("Accounts and sign-in"), _l("Know who signs in, and for whom they may act"),
        _l("Patients, those who act for them, health professionals, agents"),
        _l("Identity as FranceConnect, Pro Santé Connect or ProConnect gives it, national health identity when the"
           " hospital has checked it, mail address, telephone, proofs of mandates"),
        _l("Agents who hold the right for identities"),
        kept=_l("While the account is open; its closing can be asked for at any time"),
    ),
    Processing(
        "appointments", _l("Appointments"), _l("Book, move and cancel appointments, and remind of them"), _PATIENTS,
        _l("Identity, contact, unit, practitioner, reason, date, answers to the questions of the reason"), CARE_TEAM,
        service="appointments", kept=_l("As long as the hospital keeps its agendas"),
    ),
    Processing(
        "preadmission", _l("Pre-admission"), _l("Prepare a stay: identity, cover, documents, wishes"), _PATIENTS,
        _l("Identity, contact, health insurance, number of health insurance, documents, person of trust, answers"),
        _l("Admissions office of the hospital, and the unit of the stay"), service="preadmission",
        rules=("preadmission_draft", "preadmission_identity", "preadmission_piece", "preadmission_file",
               "preadmission_minor", "preadmission_ended", "stay_invitation"),
    ),
    Processing(
        "questionnaires", _l("Questionnaires"), _l("Prepare care by questions answered from home"), _PATIENTS,
        _l("Answers about health"), _l("Care team of the unit that asks"), service="questionnaires",
        rules=("questionnaire",),
    ),
    Processing(
        "billing", _l("Bills and payments"), _l("Show what is left to pay, and collect it"), _PATIENTS,
        _l("Identity, references and amounts of bills, payments; no card number ever reaches the portal"),
        _l("Agents of billing, the public accountant, PayFiP or Stripe for the payment itself"), basis=OBLIGATION,
        service="billing", kept=_l("Ten years, as public accounts are"),
    ),
    Processing(
        "documents", _l("Documents and letters"), _l("Hand over medical documents, and receive those of patients"),
        _PATIENTS, _l("Letters, reports, results, what patients send"),
        _l("Care team, and the practitioners that the hospital writes to by secure mail"), service="documents",
        rules=("deposit", "deposit_draft"),
    ),
    Processing(
        "referrals", _l("Referrals and exchanges with the city"), _l("Ask for an opinion, a stay or an appointment"),
        _l("Patients and health professionals"), _l("Identity, letter, question, answer, files"),
        _l("The units asked, the practitioner who asks, the patient"), service="referrals",
        rules=("referral", "referral_draft", "callback", "circle"),
    ),
    Processing(
        "communities", _l("Communities of professionals"), _l("Exchange between professionals, without patients"),
        _PROFESSIONALS, _l("Name, profession, messages"), _l("Members of the community"), service="communities",
        rules=("community_invitation", "community_past_post", "community_event"),
    ),
    Processing(
        "messages", _l("Mails and text messages"), _l("Tell that something waits in the portal"),
        _l("Everybody with an account"), _l("Mail address, telephone; never anything about health"),
        _l("The hospital’s mail server and its operator of text messages"), rules=("message_words", "news"),
    ),
    Processing(
        "audit", _l("Journal of accesses"), _l("Know who opened or changed what, and show it to the person"),
        _l("Patients, professionals, agents"), _l("Who, when, which file, which action"),
        _l("The person concerned, agents who hold the right for the journal"), basis=OBLIGATION,
        kept=_l("As long as the hospital decides, at least six months"),
    ),
    Processing(
        "reports", _l("Reports about pages"), _l("Correct what is wrong or cannot be used"), _l("Whoever writes one"),
        _l("What they wrote; a mail address if they want an answer"), _l("Administrators of the portal"),
        rules=("offer_report", "accessibility_report"),
    ),
)  # fmt: skip
