"""Where one may be sent after signing in: inside the portal, and nowhere else."""

from urllib.parse import urlsplit

_LONGEST = 2000


def inside(wanted: str) -> str:
    """The address itself when it is inside the portal, else "": no other host, no scheme, no control character.

    Browsers read a backslash as a slash and drop control characters, so `/\\host` and `/<tab>/host` leave the portal.
    """
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return ""
    if not wanted.isprintable() or len(wanted) >= _LONGEST:
        return ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc else wanted
