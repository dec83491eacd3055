"""The forms of practitioners at work."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length, Optional

from auth.practice import activities, wording
from auth.practice.activities import Described
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required


class SiteForm(Form):
    """Where one works today."""

    site = RadioField(
        _l("Where do you work today?"),
        validators=[Required(_l("Choose where you work today."))],
        validate_choice=False,  # the action knows the sites, and the page says so in the same words
    )

    def offer(self, sites: Sequence[Described]) -> None:
        """Let the person choose among their own sites."""
        self.site.choices = choices((activities.key(site), wording.site(site)) for site in sites)


class DelegationForm(OnceForm):
    """Whom one lets act in one's stead: the code they read out, and the last day."""

    code = StringField(
        _l("Code read out by this person"),
        validators=[Required(_l("Write the code that this person reads on their own page.")), Length(max=40)],
        description=_l("They find it in their own space, under Delegations. It is good for 15 minutes."),
    )
    ends_on = DateParts(
        _l("Last day"),
        validators=[Optional()],
        description=_l("Leave empty if you will end it yourself."),
    )
