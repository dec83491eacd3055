"""What a webhook says, and how its receiver knows that it comes from us and was not changed. Pure.

`Parvis-Signature: t=<seconds>,v1=<hex>`: HMAC-SHA256, under the subscription's secret, of the seconds, a full stop and
the body as it arrived. A receiver also refuses a time far from its own clock: an old message cannot be played again.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

TOLERANCE_S = 300


def body(facts: Mapping[str, object]) -> bytes:
    """The same facts always give the same bytes."""
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()


def sign(secret: str, content: bytes, at: datetime) -> str:
    """The header's value."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_mac(secret, seconds, content)}"


def holds(secret: str, content: bytes, signature: str, now: datetime) -> bool:
    """What a receiver checks; here for its tests, and as the shortest documentation."""
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    seconds = parts.get("t", "")
    if not (seconds.isascii() and seconds.isdecimal()) or len(seconds) > 12:
        return False
    is_fresh = abs(now.astimezone(UTC).timestamp() - int(seconds)) <= TOLERANCE_S
    return is_fresh and hmac.compare_digest(parts.get("v1", "").encode(), _mac(secret, int(seconds), content).encode())


def _mac(secret: str, seconds: int, content: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + content, hashlib.sha256).hexdigest()
