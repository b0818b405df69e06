"""Somebody else's client: unmodified ccxt as anybody would use it, pointed at the paper exchange."""

from typing import Any

import ccxt

PAGED: dict[str, dict[str, Any]] = {"bybit": {"paginate": True}, "bingx": {}}
"""How ccxt reads every open order; BingX lists them in one page."""
BINGX_SECTIONS = ("fund", "spot", "swap", "contract", "wallets", "user", "account", "cswap", "api")


def plain_client(exchange: str, url: str, key: str, secret: str) -> Any:
    """A client of one account. Shares nothing with the server's."""
    client = _bybit(url, key, secret) if exchange == "bybit" else _bingx(url, key, secret)
    client.has["fetchCurrencies"] = False
    client.number = str
    client.load_markets()
    return client


def _bybit(url: str, key: str, secret: str) -> Any:
    options = {
        "defaultType": "swap",
        "fetchMarkets": {"types": ["linear"]},
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 5,
    }
    urls = {"api": {"public": url, "private": url}}
    return ccxt.bybit(
        {"apiKey": key, "secret": secret, "enableRateLimit": False, "urls": urls, "options": options},
    )


def _bingx(url: str, key: str, secret: str) -> Any:
    options = {"defaultType": "swap", "sandboxMode": True}
    urls = {"api": dict.fromkeys(BINGX_SECTIONS, f"{url}/openApi")}
    return ccxt.bingx(
        {"apiKey": key, "secret": secret, "enableRateLimit": False, "urls": urls, "options": options},
    )


def place_of(client: Any, direction: str, *, slot: str = "", **params: Any) -> dict[str, Any]:
    """The parameters that name the position an order is for: `slot` of a hedge account, else what the mode needs."""
    if client.id == "bybit":
        return {"positionIdx": {"": 0, "long": 1, "short": 2}[slot], **params}
    if not is_hedged(client):
        return params
    closes = bool(params.pop("reduceOnly", False))
    named = slot or ("long" if (direction == "buy") is not closes else "short")
    return {"positionSide": named.upper(), **params}


def is_hedged(client: Any) -> bool:
    """Whether a BingX account keeps long and short apart."""
    mode = client.swapV1PrivateGetPositionSideDual()["data"]["dualSidePosition"]
    return str(mode).lower() == "true"
