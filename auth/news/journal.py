"""What the journal says of how people want to be told."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "news_choice.changed": _l("chose how often to be told"),
    "news.stopped": _l("had messages stop, by the link of one of them"),
    "news_box.chosen": _l("gave a professional box to be told in"),
    "news_box.verified": _l("confirmed a professional box"),
    "news_box.removed": _l("removed a professional box"),
}
