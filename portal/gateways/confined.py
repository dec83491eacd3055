"""Calls by `requests` to addresses that people typed: each connection goes where `portal.gateways.reach` lets it."""

import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

from portal.gateways import Refused, Unavailable, UnsupportedUrl, reach


def confine(session: requests.Session) -> None:
    """Let this session call nothing inside but what operators named; where it may not, it raises `requests`' own
    ConnectionError. A proxy that the machine's environment names resolves names itself: what it lets out is its own
    rule, and addresses are looked at as they are written."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, _ConfinedAdapter())


class _Confined(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        port = self.port or self.default_port
        try:
            address = reach.current().address(self.host, port)
        except (Refused, Unavailable) as error:
            raise NewConnectionError(self, str(error)) from None
        # The name stays the one that the certificate is checked against and that the Host header bears.
        name, self._dns_host = self._dns_host, address
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name


class _ConfinedTls(_Confined, HTTPSConnection):
    pass


class _ConfinedPool(HTTPConnectionPool):
    ConnectionCls = _Confined


class _ConfinedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _ConfinedTls


class _ConfinedAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)  # type: ignore[no-untyped-call]  # requests has no types here
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _ConfinedPool, "https": _ConfinedTlsPool}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        try:
            reach.current().check(parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443))
        except UnsupportedUrl as error:
            raise requests.ConnectionError(str(error), request=request) from None
        return super().send(request, *arguments, **named)
