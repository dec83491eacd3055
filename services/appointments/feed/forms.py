"""What a calendar tells."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from portal.web.forms import Form


class FeedForm(Form):
    with_details = BooleanField(
        _l("Also write the unit, the practitioner and the reason"),
        description=_l("Whoever sees your calendar then reads them too, and whoever keeps it for you."),
    )
    with_proxied = BooleanField(
        _l("Also show the appointments of the people I act for"),
        description=_l("As long as you act for them in such matters."),
    )
