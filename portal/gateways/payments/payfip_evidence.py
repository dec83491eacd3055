"""Exchanges with PayFiP, kept as evidence for disputes, without what they should not keep."""

import re

# The return URL carries our return token, the notification URL may carry one: both are secrets of the attempt.
_SECRET_FIELD = re.compile(r"(<(?:\w{1,20}:)?(?:mel|urlnotif|urlredirect)>)[^<]*")
# Bounded on both sides, so that a long run of letters in a hostile answer costs nothing.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}")

MASK = "***"


def masked(raw: bytes) -> str:
    """The text of a message with addresses and secret URLs masked; never fails, whatever the bytes.

    >>> masked(b"<mel>jeanne@example.org</mel><montant>4520</montant>")
    '<mel>***</mel><montant>4520</montant>'
    """
    text = raw.decode("utf-8", errors="replace").replace("\x00", "\ufffd")  # PostgreSQL text holds no NUL
    return _ADDRESS.sub(MASK, _SECRET_FIELD.sub(rf"\1{MASK}", text))
