"""How often one visitor may try: in memory on one machine, in Redis when there are several."""

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


def register(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url.get_secret_value() or "memory://"
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True  # nobody is locked out because Redis is away
    app.config["RATELIMIT_ENABLED"] = settings.env != "test"
    limiter.init_app(app)
