"""How often one visitor may try, whichever process or machine answers: counted in the database, or in Redis."""

import ipaddress

from flask import Flask, request
from flask_limiter import Limiter


def visitor() -> str:
    """Who is counted: an IPv4 address, or the whole /64 that an IPv6 customer may change address in."""
    address = request.remote_addr or ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


limiter = Limiter(visitor, default_limits=[], headers_enabled=False)
REDIS_ANSWERS_WITHIN_S = 0.5
"""Else this process counts for itself, and asks again after 1, 2, 4… 32 s: a half-open line would keep it for ever."""


def register(app: Flask) -> None:
    """Where it is counted is in `RATELIMIT_STORAGE_URI` already (`auth.rate_counters.address`)."""
    settings = app.config["SETTINGS"]
    if settings.redis_url.get_secret_value():
        within = {"socket_timeout": REDIS_ANSWERS_WITHIN_S, "socket_connect_timeout": REDIS_ANSWERS_WITHIN_S}
        app.config["RATELIMIT_STORAGE_OPTIONS"] = within
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True  # nobody is locked out because either is away
    app.config["RATELIMIT_ENABLED"] = settings.env != "test"
    limiter.init_app(app)
