"""How often one visitor may try: in memory on one machine, in Redis when there are several."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, default_limits=[], headers_enabled=False)


def register(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url.get_secret_value() or "memory://"
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True  # nobody is locked out because Redis is away
    app.config["RATELIMIT_ENABLED"] = settings.env != "test"
    limiter.init_app(app)
