"""Builds Bybit clients: ccxt's class with our door and our settings. Nothing here decides anything about orders."""

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import Mode
from blitz.exchange.connection import Venue
from blitz.exchange.door import OneDoor, client_config, ready


class BybitClient(OneDoor, ccxt.bybit):  # type: ignore[misc]
    """ccxt's Bybit, whose requests leave through our door."""


def bybit_client(venue: Venue, clock: Clock, credentials: Credentials | None = None) -> BybitClient:
    """A Bybit client for `venue`, signing with `clock`'s time.

    The account options are given beforehand, so that no order waits for two questions about the account type.
    """
    config = client_config(credentials) | {
        "options": {
            "defaultType": "swap",
            "fetchMarkets": {"types": ["linear"]},
            "enableUnifiedMargin": False,
            "enableUnifiedAccount": True,
            "unifiedMarginStatus": 5,
        },
    }
    if venue.base_url:
        config["urls"] = {"api": dict.fromkeys(("public", "private", "spot", "futures", "v2"), venue.base_url)}
    client = BybitClient(config)
    ready(client, clock)
    if venue.mode is Mode.DEMO and not venue.base_url:
        _use_demo(client, testnet=venue.testnet)
    return client


def _use_demo(client: BybitClient, *, testnet: bool) -> None:
    """Point a client at Bybit's play money: demo trading (api-demo, real prices) or the testnet (prices of its own).

    Each of the two has keys of its own; a key of the one is refused by the other and by live.
    """
    if testnet:
        client.set_sandbox_mode(True)
    else:
        client.enable_demo_trading(True)
