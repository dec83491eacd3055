"""The portal's addresses, one a line, as they are promised to the outside: `python -m tests.architecture.routes`.

Run it after adding or changing a route, and read the difference in the commit: a line that goes away breaks links that
people have kept.
"""

import base64
from pathlib import Path

from flask import Flask

from auth import guards
from portal import config
from portal.app import create_app

FROZEN = Path(__file__).parent / "routes.txt"


def lines(app: Flask) -> list[str]:
    """`path  methods  endpoint  guard`, sorted."""
    found = []
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        guard = getattr(blueprint, guards.GUARD, "none") if blueprint else "none"
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        found.append(f"{rule.rule}  {methods}  {rule.endpoint}  {guard}")
    return sorted(found)


def _application() -> Flask:
    """An application that nothing is asked of: no database is needed."""
    return create_app(config.load({
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": "only to list the routes",
        "PORTAL_FILE_KEYS": "k:" + base64.b64encode(bytes(32)).decode(),
        "PORTAL_DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
        "PORTAL_STORAGE_URL": "twin:",
    }))  # fmt: skip


if __name__ == "__main__":
    FROZEN.write_text("\n".join(lines(_application())) + "\n", encoding="utf-8")
