"""Codes of an application (RFC 6238): six digits, thirty seconds, SHA-1, which every application knows.

One step of tolerance on each side, for telephones whose clock is late; a step whose code was accepted is never
accepted again.
"""

import hmac
import re
from datetime import datetime
from io import BytesIO

import pyotp
import segno
from markupsafe import Markup

STEP_S = 30
TOLERANCE = 1
_ISSUER_MARKS = re.compile(r"[:/?#%&]")


def new_secret() -> str:
    """160 random bits, in base32."""
    return pyotp.random_base32(32)


def matching_step(secret: str, code: str, at: datetime, after: int = 0) -> int | None:
    """The time step whose code this is, within the tolerance and later than step `after`; None when there is none."""
    generator = pyotp.TOTP(secret, interval=STEP_S)
    now = int(at.timestamp()) // STEP_S
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        # Each one is compared, found or not: the time taken says nothing.
        if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode()) and step > after:
            found = step
    return found


def address(secret: str, account: str, issuer: str) -> str:
    """The `otpauth://` address that an application reads."""
    return pyotp.TOTP(secret).provisioning_uri(
        name=_ISSUER_MARKS.sub(" ", account), issuer_name=_ISSUER_MARKS.sub(" ", issuer)
    )


def picture(address: str) -> Markup:
    """The address as a QR code, an SVG to put in a page."""
    made = BytesIO()
    segno.make(address, error="m").save(
        made, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, omitsize=False, dark="#000", light="#fff"
    )
    return Markup(made.getvalue().decode())  # noqa: S704 - drawn by us, holds no text


def spelled(secret: str) -> str:
    """The secret in groups of four, as one copies it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
