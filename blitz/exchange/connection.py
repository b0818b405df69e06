"""Which venue, whose account, and under which address: all that is needed to build a client."""

from dataclasses import dataclass

from blitz.core.ladder_settings import ExchangeName, Mode, account_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One venue in one mode. Equal venues share a market table and a clock."""

    exchange: ExchangeName
    mode: Mode
    base_url: str = ""
    """Where the paper exchange listens, without a trailing slash; empty for the venue's own address."""
    testnet: bool = False
    """In demo: the testnet instead of the demo account; False in the other modes."""

    @property
    def account(self) -> str:
        """Names the kind of account a journal belongs to, such as `bybit:paper` or `bybit:testnet`."""
        return account_name(self.exchange.value, self.mode.value, testnet=self.testnet)
