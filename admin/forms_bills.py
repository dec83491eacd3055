"""What an agent looks for among bills and in their ledger, in the address of the page."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, Optional

from admin.forms_bill_sources import KIND_WORDS
from admin.forms_figures import DaysForm
from portal.establishments import Establishment
from portal.web.fields import EuroField, choices
from portal.web.forms import Form
from services.billing.forms import CloseForm
from services.billing.ledger.models import KINDS
from services.billing.models import BILL_STATES

_TOO_LONG = Length(max=100, message=_l("This is too long"))
_DAY: dict[str, Any] = {"invalid_value_message": _l("This is not a day: choose it in the calendar")}
_ALL = ("", _l("All"))


def _stripped(text: str | None) -> str:
    return (text or "").strip().replace("\x00", "")


BILL_WORDS = {
    "open": _l("To pay"),
    "in_progress": _l("Payment under way"),
    "debit_accepted": _l("Direct debit accepted"),
    "partly": _l("Partly paid"),
    "paid": _l("Paid"),
    "overpaid": _l("Overpaid"),
    "closed_elsewhere": _l("Bill closed"),
}
ENTRY_WORDS = {
    "payment": _l("Payment"),
    "rejection": _l("Debit given back by the bank"),
    "refund": _l("Refund"),
    "refund_failed": _l("Refund that came back"),
    "dispute": _l("Disputed by the payer"),
    "dispute_won": _l("Dispute won"),
    "dispute_fee": _l("Fee of a dispute"),
    "fee": _l("Provider’s fee"),
    "payout": _l("Transfer to the bank"),
}
SHORT_KIND_WORDS = {"regie": _l("Régie"), "titre": _l("Titre"), "private": _l("Private")}
MEANS_WORDS = {"card": _l("Bank card"), "direct_debit": _l("Direct debit")}
PSP_WORDS = {"payfip": "PayFiP", "stripe": "Stripe"}


class BillsForm(Form):
    """Which bills. What nobody could have chosen in the page is left out, so that an old address still works."""

    class Meta:
        csrf = False

    reference = StringField(_l("Reference, PayFiP reference or IPP"), [Optional(), _TOO_LONG], filters=[_stripped])
    etat = SelectField(
        _l("State"),
        choices=choices([_ALL, *((state, BILL_WORDS[state]) for state in BILL_STATES)]),
        validate_choice=False,
    )
    source = SelectField(_l("Kind"), choices=choices([_ALL, *KIND_WORDS.items()]), validate_choice=False)
    etablissement = SelectField(_l("Hospital"), choices=choices([_ALL]), validate_choice=False)
    echeance = DateField(_l("Due before"), [Optional()], **_DAY)
    montant = EuroField(_l("Patient’s share"), [Optional()])

    def among(self, places: Sequence[Establishment]) -> "BillsForm":
        self.etablissement.choices = choices([_ALL, *((each.finess, each.short_name or each.name) for each in places)])
        return self

    def chosen(self, name: str) -> str:
        """What was chosen in a list, "" when it is not one of its choices."""
        field = self[name]
        return field.data if field.data in {choice.value for choice in field.choices} else ""


class LedgerForm(DaysForm):
    """Which entries of the ledger."""

    etablissement = SelectField(_l("Hospital"), choices=choices([_ALL]), validate_choice=False)
    mouvement = SelectField(
        _l("Movement"), choices=choices([_ALL, *((kind, ENTRY_WORDS[kind]) for kind in KINDS)]), validate_choice=False
    )
    site = SelectField(_l("Provider"), choices=choices([_ALL, *PSP_WORDS.items()]), validate_choice=False)
    moyen = SelectField(_l("Means"), choices=choices([_ALL, *MEANS_WORDS.items()]), validate_choice=False)
    guichet = StringField(_l("Counter"), [Optional(), _TOO_LONG], filters=[_stripped])
    source = StringField(_l("Bill source"), [Optional(), _TOO_LONG], filters=[_stripped])

    def among(self, places: Sequence[Establishment]) -> "LedgerForm":
        self.etablissement.choices = choices([_ALL, *((each.finess, each.short_name or each.name) for each in places)])
        return self

    def chosen(self, name: str) -> str:
        field = self[name]
        return field.data if field.data in {choice.value for choice in field.choices} else ""


class DayForm(DaysForm):
    """A date, and a hospital."""

    etablissement = SelectField(_l("Hospital"), choices=choices([_ALL]), validate_choice=False)

    def among(self, places: Sequence[Establishment]) -> "DayForm":
        self.etablissement.choices = choices([_ALL, *((each.finess, each.short_name or each.name) for each in places)])
        self.last.label.text = _l("At the end of")
        return self


class CloseBillForm(CloseForm):
    """Close a bill, with the reference of whoever says so."""

    note = StringField(
        _l("Reference"),
        [Optional(), Length(max=100, message=_l("A hundred characters at most"))],
        filters=[_stripped],
        description=_l("Number of the cheque, of the transfer or of the desk’s receipt. No name, no word about care."),
    )
