"""The patient's side of referrals: their pages, the sheet they are given, what their circle sees."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section
from auth.wording import say, say_who
from services.referrals import circle, routes_patient, routes_public, routes_sheets

_WORDS: Mapping[str, Any] = {
    "referral.sheet_made": _l("printed what you are told of a referral, for you"),
}
_WHO: Mapping[str, Any] = {
    "referrals.object_by_reference": _l("Somebody with the sheet you were given"),
    "referrals.object": _l("You, for the units that were not asked yet"),
}


def register(app: Flask) -> None:
    """Open the pages."""
    say(_WORDS)
    say_who(_WHO)
    for pages in (routes_patient.pages, routes_public.pages, routes_sheets.pages):
        app.register_blueprint(pages)
    circle.declare()
    title = _l("Requests that doctors made for me")
    text = _l("Which unit of the hospital was asked, where it stands, and how to object.")
    account_sections.offer(Section(title, text, "stethoscope", "my_referrals.mine", rank=16))
