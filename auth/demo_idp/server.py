"""Running the providers: in a thread for tests, in the foreground for the demonstration."""

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from auth.demo_idp.app import create_idp
from auth.demo_idp.desk import Desk, IdpConfig, fetched_keys
from auth.demo_idp.faults import Faults

LOOPBACK = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Writes no access log: its lines would hold codes and states."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


def bind(config: IdpConfig, port: int, faults: Faults | None = None) -> BaseWSGIServer:
    """A threaded server listening on the loopback; port 0 takes a free one. Raises OSError."""
    app = create_idp(config, faults)
    # Left to itself, werkzeug ends the process when the port is taken.
    with socket.create_server((LOOPBACK, port)) as listening:
        return make_server(LOOPBACK, port, app, threaded=True, request_handler=QuietHandler, fd=listening.fileno())


class RunningIdp:
    """Providers running in a thread of this process, for tests."""

    def __init__(self, server: BaseWSGIServer, config: IdpConfig, faults: Faults, desk: Desk) -> None:
        self.config = config
        self.faults = faults
        self.desk = desk
        self.base_url = f"http://{LOOPBACK}:{server.port}"
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def discovery_url(self, audience_name: str) -> str:
        """Where this audience publishes itself."""
        return f"{self.base_url}/{audience_name}/.well-known/openid-configuration"

    def choose(self, authorization_url: str, person_key: str) -> str:
        """Picks a person as a browser would; gives the callback URL they are sent to.

        A key that is nobody's (such as "") is the Cancel button. Raises ValueError when the
        provider shows its error page instead.
        """
        if urlsplit(authorization_url).netloc != urlsplit(self.base_url).netloc:
            raise ValueError(f"not one of ours: {authorization_url}")
        answer = requests.post(authorization_url, {"person": person_key}, allow_redirects=False, timeout=10)
        if not answer.is_redirect:
            raise ValueError(f"the provider refused the request: {answer.text}")
        return answer.headers["Location"]

    def stop(self) -> None:
        """Stops and frees the port; safe to call twice."""
        self.faults.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def start_in_thread(
    redirect_base: str = "http://127.0.0.1:8000",
    *,
    client_id: str = "parvis-demo",
    client_secret: str | None = None,
    port: int = 0,
    clock: Callable[[], float] = time.time,
    portal_keys: Callable[[str], Mapping[str, Any]] = fetched_keys,
) -> RunningIdp:
    """All the providers on a free port, with faults to switch on; call `stop()` when done."""
    config = IdpConfig(
        client_id=client_id,
        client_secret=client_secret or secrets.token_urlsafe(32),
        redirect_bases=(redirect_base,),
        portal_keys=portal_keys,
        clock=clock,
    )
    faults = Faults()
    server = bind(config, port, faults)
    assert isinstance(server.app, Flask), "bind serves nothing else"
    return RunningIdp(server, config, faults, server.app.extensions["demo_idp"])


def serve(config: IdpConfig, port: int) -> None:
    """Serves until interrupted."""
    server = bind(config, port)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()
