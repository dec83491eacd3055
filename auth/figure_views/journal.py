"""What the journal says of saved views."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "figure_view.saved": _l("saved a view of figures"),
    "figure_view.shared": _l("shared a view of figures, or kept it to oneself again"),
    "figure_view.removed": _l("removed a view of figures"),
    "figure_view.chosen": _l("chose the view of figures to start with"),
}
