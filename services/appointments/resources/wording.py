"""How resources are called."""

from flask_babel import lazy_gettext as _l

KINDS = {"room": _l("Rooms"), "device": _l("Devices"), "interpreter": _l("Interpreters")}
