"""What an experimental profile holds: everything in which its venue differs, as far as requests and answers go.

Orders are built by ccxt's own `create_order_request`; a profile adds what ccxt leaves to its caller and looks at the
result, because ccxt rounds by its own table.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import ccxt

from blitz.core.calls import Refusal
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import DesiredOrder, OrderType, Side
from blitz.exchange.experimental.ids import ClientIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an order depends on beside itself."""

    symbol: str
    """ccxt's name of the market, such as BTC/USDT:USDT."""
    side: Side
    """The side of the ladder."""
    hedged: bool
    """The account keeps long and short apart."""
    margin_mode: MarginMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One signed request: ccxt's implicit method and what it sends."""

    method: str
    body: Mapping[str, Any]


Client = TypeVar("Client", bound=ccxt.Exchange)


def textual(client: Client) -> Client:
    """Let numbers stay texts, and load no table of currencies."""
    client.number = str
    client.has["fetchCurrencies"] = False
    return client


class ExperimentalProfile(ABC):
    """One venue. Stateless."""

    name: str
    ids: ClientIds
    id_field: str
    """Where an order carries its client id."""
    stop_id_field: str = ""
    """Where a stop-market order carries it; empty when it cannot."""
    traits: VenueTraits
    counts_contracts: bool = False
    """Quantities are counted in contracts of a fixed size and not in the base currency."""
    amend_renews_id: bool = False
    """An order that was amended has another client id than before: it takes its tag's next generation."""
    amends_stops: bool = False
    """A resting stop's trigger can be changed in place."""
    needs_passphrase: bool = False
    """A key has a third part, which this server does not store yet."""
    refusals: Mapping[str, Refusal]
    """What each code means for a bot."""
    unknown: frozenset[str]
    """Codes after which an order may or may not exist."""
    undocumented: frozenset[str] = frozenset()
    """Codes of `refusals` that ccxt's own table does not have; documented by the venue."""

    # Requests

    @abstractmethod
    def client(self, credentials: Credentials) -> ccxt.Exchange:
        """ccxt's class for the venue's USDT perpetuals. Sends nothing."""

    @abstractmethod
    def use_demo(self, client: ccxt.Exchange) -> None:
        """Point a client at the venue's play money."""

    @abstractmethod
    def order(self, client: ccxt.Exchange, order: DesiredOrder, tag: str, terms: Terms) -> Request:
        """A new order. Raises `ValueError`, or ccxt's errors, for one that the market's rules forbid."""

    @abstractmethod
    def amend(self, client: ccxt.Exchange, order: DesiredOrder, order_id: str, new_tag: str, terms: Terms) -> Request:
        """Give a resting limit order the quantity and price of `order`; `new_tag` where amending renews the id."""

    @abstractmethod
    def set_modes(self, client: ccxt.Exchange, leverage: Decimal, terms: Terms) -> list[Request]:
        """Position mode, margin mode and leverage, in the order in which the venue wants them."""

    # Answers

    @abstractmethod
    def code_of(self, answer: Mapping[str, Any]) -> str:
        """The code by which an answer refuses; empty when it does not."""

    def meaning(self, code: str) -> Refusal | None:
        """What a code means for a bot; None when an order may exist all the same."""
        return None if code in self.unknown else self.refusals.get(code, Refusal.OTHER)

    # For the profiles

    def built(
        self, client: ccxt.Exchange, order: DesiredOrder, terms: Terms, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The order as ccxt builds it, every number as our own text."""
        kind = "limit" if order.type is OrderType.LIMIT else "market"
        price = None if order.price is None else plain(order.price)
        amount = plain(self.amount(client, order.quantity, terms))
        request: dict[str, Any] = client.create_order_request(
            terms.symbol, kind, order.direction.value, amount, price, dict(params)
        )
        return request

    def amount(self, client: ccxt.Exchange, quantity: Decimal, terms: Terms) -> Decimal:
        """A quantity as the venue counts it. Raises `ValueError` for a fraction of a contract it does not take."""
        if not self.counts_contracts:
            return quantity
        market = client.market(terms.symbol)
        contracts = quantity / Decimal(str(market["contractSize"]))
        if contracts % Decimal(str(market["precision"]["amount"])):
            raise ValueError(f"{plain(quantity)} is not a whole number of contracts.")
        return contracts

    def same(self, sent: object, wanted: Decimal | None) -> None:
        """Raise `ValueError` when ccxt made another number of ours: its table of the market is not the present one."""
        if wanted is not None and Decimal(str(sent)) != wanted:
            raise ValueError("The market's rules have changed; quantity or price no longer fit them.")
