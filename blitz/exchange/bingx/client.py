"""Builds BingX clients: ccxt's class with our door and our settings. Nothing here decides anything about orders."""

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import Mode
from blitz.exchange.connection import Venue
from blitz.exchange.door import OneDoor, client_config, ready

SECTIONS = (
    "fund", "spot", "swap", "contract", "wallets", "user", "subAccount", "account", "copyTrading", "cswap", "api",
)  # fmt: skip
"""ccxt keeps one address for each part of the API."""


class BingxClient(OneDoor, ccxt.bingx):  # type: ignore[misc]
    """ccxt's BingX, whose requests leave through our door."""


def bingx_client(venue: Venue, clock: Clock, credentials: Credentials | None = None) -> BingxClient:
    """A BingX client for `venue`, signing with `clock`'s time.

    `sandboxMode` as an option keeps ccxt from loading spot and coin-margined markets too; it changes no address. Demo
    has the same markets by the same names, and the same keys; what is paid with there is VST.
    """
    config = client_config(credentials) | {"options": {"defaultType": "swap", "sandboxMode": True}}
    if venue.base_url:
        config["urls"] = {"api": dict.fromkeys(SECTIONS, f"{venue.base_url}/openApi")}
    client = BingxClient(config)
    ready(client, clock)
    if venue.mode is Mode.DEMO and not venue.base_url:
        client.set_sandbox_mode(True)
    return client
