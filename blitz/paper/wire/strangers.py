"""Who may use the control interface: this machine, and no web page of another origin."""

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web


class BadControl(Exception):
    """A control request that cannot be done. The message says why; the status is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def refuse_strangers(request: web.BaseRequest) -> None:
    """Let only this machine in, and no page of another origin. Raises `BadControl` (403).

    The Host check keeps out a foreign page whose name was made to point here (DNS rebinding).
    """
    if not _is_loopback(request.remote or "") or not _is_loopback(_host_name(f"//{request.host}")):
        raise BadControl("The control interface answers only to this machine.", 403)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise BadControl("The control interface does not answer to other web pages.", 403)
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise BadControl("The control interface does not answer to other web pages.", 403)


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
