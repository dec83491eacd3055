"""What the journal says of opinions: action → words, after the name of who did it. Who gives one is never written."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "opinion_comment.opened": _l("read a comment that waits to be screened"),
    "opinion_comment.published": _l("let a comment about a service through"),
    "opinion_comment.removed": _l("removed a comment about a service"),
}
