"""Boxes as administrators declare them, and gestures on mails."""

from collections.abc import Collection

from flask_babel import lazy_gettext as _l
from wtforms import DateField, PasswordField, SelectField, StringField
from wtforms.validators import Length, Optional, Regexp

from portal.establishments import Establishment, Unit
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.documents.mailboxes import wording
from services.documents.mailboxes.actions import BoxDraft
from services.documents.mailboxes.models import Mailbox

_ADDRESS_HINT = _l("Such as cardiologie@ch-arceau.mssante.fr. It never changes afterwards.")


class _Described(OnceForm):
    """What may change of a box."""

    label = StringField(
        _l("Who writes"),
        [Length(max=120)],
        description=_l(
            "As correspondents read it: the name of the service, or title, first name and name. Empty: the hospital’s "
            "name."
        ),
    )
    unit = SelectField(_l("Unit"), validate_choice=False)
    url = PasswordField(
        _l("Its own operator"),
        [Length(max=500)],
        description=_l(
            "smtp+imap://host:587?imap=host:143&auth=client_cert. Empty: the hospital’s operator. It is kept sealed, "
            "and not shown again."
        ),
    )

    def offer(self, units: Collection[Unit]) -> None:
        several = len({unit.establishment_id for unit in units}) > 1
        names = ((str(unit.id), f"{unit.establishment.name}, {unit.name}" if several else unit.name) for unit in units)
        self.unit.choices = choices([("", _l("The whole hospital")), *names])
        self.codes = {str(unit.id): unit.uf for unit in units}

    @property
    def uf(self) -> str:
        """The code of the chosen unit; what is no unit of theirs stays as it was typed, and is no code."""
        return self.codes.get(self.unit.data or "", self.unit.data or "")


class BoxForm(_Described):
    """A new box."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    address = StringField(
        _l("Address of the box"), [Required(_l("Give the address")), Length(max=254)], description=_ADDRESS_HINT
    )
    kind = SelectField(_l("Type"), [Required()], choices=choices(wording.KINDS.items()))
    holder = StringField(
        _l("RPPS number of the holder"),
        [Optional(), Regexp(r"\d{11}", message=_l("An RPPS number has 11 digits"))],
        description=_l("For a personal box: somebody who has signed in here with Pro Santé Connect."),
    )

    def offer_hospitals(self, hospitals: Collection[Establishment]) -> None:
        self.establishment.choices = choices((str(each.id), each.name) for each in hospitals)

    def draft(self) -> BoxDraft:
        typed = {name: (getattr(self, name).data or "").strip() for name in ("address", "kind", "label", "url")}
        return BoxDraft(unit=self.uf, holder_rpps=(self.holder.data or "").strip(), **typed)


class ChangeBoxForm(_Described):
    """What may change of a box; its operator's address stays when nothing is typed."""

    def draft(self, box: Mailbox) -> BoxDraft:
        url = (self.url.data or "").strip() or None
        return BoxDraft(box.address, box.kind, (self.label.data or "").strip(), self.uf, url=url)


class OperatorForm(OnceForm):
    """The hospital's operator."""

    url = PasswordField(
        _l("Address of the operator"),
        [Length(max=500)],
        description=_l("smtp+imap://host:587?imap=host:143&auth=client_cert. It is kept sealed, and not shown again."),
    )
    receipts = SelectField(
        _l("Tell senders that a letter was not filed"),
        [Required()],
        choices=choices(
            [
                ("no", _l("Never")),
                ("refused", _l("When it was refused at the door")),
                ("all", _l("Also when it waits in the tray")),
            ]
        ),
    )


class FilterForm(Form):
    """Which transmissions to show."""

    class Meta:
        csrf = False

    etat = SelectField(
        _l("State"),
        choices=choices(
            [
                ("all", _l("All")),
                ("mend", _l("To mend")),
                ("waiting", _l("Waiting")),
                ("accepted", wording.TRANSMISSION_STATES["accepted"][0]),
                ("delivered", wording.TRANSMISSION_STATES["delivered"][0]),
                ("read", wording.TRANSMISSION_STATES["read"][0]),
            ]
        ),
        default="all",
    )
    boite = SelectField(_l("Box"), validate_choice=False, default="")
    du = DateField(_l("From"), [Optional()])
    au = DateField(_l("To (included)"), [Optional()])

    def offer(self, boxes: Collection[Mailbox]) -> None:
        self.boite.choices = choices([("", _l("All the boxes")), *((str(box.id), box.address) for box in boxes)])


class ElsewhereForm(OnceForm):
    """Another address of the same correspondent."""

    address = StringField(_l("Other address"), [Required(_l("Give the address")), Length(max=254)])
