"""Makes sure that a trader's account exists on the paper exchange, over its control interface."""

from decimal import Decimal

import orjson

from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName
from blitz.errors import BlitzError, GatewayProblem
from blitz.exchange.carrier import NotCarried, carry

PAPER_BALANCE = Decimal(10_000)
"""USDT that a new paper account starts with."""
PAUSE_SECONDS = 5.0


class WrongSecret(BlitzError):
    """The paper exchange knows the key with another secret: trying again cannot help."""


def keys_on(exchange: ExchangeName, made: Credentials) -> Credentials:
    """The keys that were made for a trader, as they are used on one exchange: each has accounts of its own."""
    if exchange is ExchangeName.BYBIT:
        return made
    return Credentials(api_key=f"{made.api_key}-{exchange.value}", api_secret=made.api_secret)


def open_paper_account(
    base_url: str, exchange: ExchangeName, credentials: Credentials, balance: Decimal = PAPER_BALANCE
) -> None:
    """Open the account, by the rules of `exchange`, unless it is there.

    Raises `WrongSecret` when the exchange refuses, `GatewayProblem` when it does not answer or has an error of its own.
    """
    body = {
        "key": credentials.api_key,
        "secret": credentials.api_secret,
        "balance": str(balance),
        "exchange": exchange.value,
    }
    url, sent = f"{base_url}/__paper/accounts", orjson.dumps(body)
    try:
        answer = carry("POST", url, {"Content-Type": "application/json"}, sent, pause_seconds=PAUSE_SECONDS)
    except (NotCarried, OSError) as problem:
        raise GatewayProblem("The paper exchange does not answer; the bot tries again by itself.") from problem
    if answer.status >= 500:
        raise GatewayProblem("The paper exchange has an error; the bot tries again by itself.")
    if answer.status >= 400:
        raise WrongSecret(
            "The paper exchange has an account with this API key, but with another secret or for another exchange. "
            "Enter what belongs together under Account, or clear both fields to get an account of your own."
        )
