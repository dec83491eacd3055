"""`python -m auth.demo_idp --port N --redirect-base http://127.0.0.1:8000`."""

import argparse
import os
import signal
import sys

from auth.demo_idp.desk import IdpConfig
from auth.demo_idp.server import serve

ALLOWED_ENVIRONMENTS = ("demo", "test")


def main() -> int:
    """0 when interrupted, 2 when it must not or cannot start."""
    arguments = _parser().parse_args()
    # Anyone may be anyone here: an installation that does not say it is a demonstration is not one.
    if os.environ.get("PORTAL_ENV") not in ALLOWED_ENVIRONMENTS:
        return _refuse("the demonstration's identity providers only start with PORTAL_ENV=demo")
    client_secret = os.environ.get("DEMO_IDP_CLIENT_SECRET")
    if not client_secret:
        return _refuse("DEMO_IDP_CLIENT_SECRET is not set")
    config = IdpConfig(
        client_id=arguments.client_id,
        client_secret=client_secret,
        redirect_bases=tuple(base.rstrip("/") for base in arguments.redirect_base),
    )
    # Both: a shell that starts us in its background has us ignore the keyboard's signal.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    try:
        serve(config, arguments.port)
    except OSError as error:
        return _refuse(f"cannot listen on port {arguments.port}: {error.strerror}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth.demo_idp", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1, always")
    parser.add_argument("--redirect-base", action="append", required=True, help="the portal's base URL; repeatable")
    parser.add_argument("--client-id", default=os.environ.get("DEMO_IDP_CLIENT_ID", "parvis-demo"))
    return parser


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
