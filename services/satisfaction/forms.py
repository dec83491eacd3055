"""The one question, and what an agent decides of a comment."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField
from wtforms.validators import Length

from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.satisfaction.actions import LONGEST
from services.satisfaction.wording import SCORES


class OpinionForm(OnceForm):
    """How it went, in five levels, and a few words if one wishes."""

    score = RadioField(
        _l("Are you satisfied with it?"),
        [Required(_l("Choose one of the five answers"))],
        choices=choices((str(score), words) for score, words in SCORES.items()),
    )
    comment = TextAreaField(
        _l("What could be better, or what went well?"),
        [Length(max=LONGEST, message=_l("Write at most %(max)d characters"))],
        description=_l(
            "Nothing about your health, no name, no number: an agent reads it first, and leaves such things out."
        ),
    )

    @property
    def chosen(self) -> int:
        """1 to 5, once the form is valid."""
        return int(self.score.data)
