"""Forwarding headers, believed only from the proxies that the owner named in BLITZ_TRUSTED_PROXIES."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """Lets `ProxyFix` rewrite peer, scheme and host for requests of a trusted peer; passes all others as they are."""

    def __init__(self, application: "WSGIApplication", networks: Sequence[str]) -> None:
        self._direct = application
        self._forwarded = ProxyFix(application, x_for=1, x_proto=1, x_host=1)
        self._networks = [ipaddress.ip_network(each) for each in networks]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        chosen = self._forwarded if self._trusts(environ.get("REMOTE_ADDR", "")) else self._direct
        return chosen(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def register(app: Flask, networks: Sequence[str]) -> None:
    """Put the trusted proxies in front of `app`; without any, forwarding headers mean nothing."""
    if networks:
        app.wsgi_app = TrustedProxies(app.wsgi_app, networks)  # type: ignore[method-assign]
