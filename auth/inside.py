"""Where one may be sent next: inside the portal, or nowhere."""


def safe_next(wanted: str) -> str:
    """Only an address inside the portal, or "" (no other host, no scheme, no control character)."""
    inside = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if inside and wanted.isprintable() and len(wanted) < 2000 else ""
