"""What a read request may see of an account: the present, or, when a lag is injected, a moment in the past.

Captured by the host after each change while a lag rule is in force. Rows are immutable engine values, so a capture
only copies lists.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from blitz.paper.engine import Account, ClosedPnl, Execution, Order, Position, Venue, Wallet

CAPTURES_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The lists and figures of one account at one moment, oldest first as the engine keeps them."""

    open_orders: Sequence[Order]
    closed_orders: Sequence[Order]
    executions: Sequence[Execution]
    closed_pnl: Sequence[ClosedPnl]
    frozen_positions: dict[str, list[Position]] | None = None
    frozen_wallet: Wallet | None = None

    @classmethod
    def present(cls, account: Account) -> "AccountView":
        """The account as it is, without copying its history."""
        return cls(
            open_orders=account.open_orders(),
            closed_orders=account.closed,
            executions=account.executions,
            closed_pnl=account.closed_pnl,
        )

    @classmethod
    def capture(cls, venue: Venue, account: Account) -> "AccountView":
        """A copy that later changes do not touch."""
        return cls(
            open_orders=tuple(account.open_orders()),
            closed_orders=tuple(account.closed),
            executions=tuple(account.executions),
            closed_pnl=tuple(account.closed_pnl),
            frozen_positions={symbol: venue.positions(account, symbol=symbol) for symbol in venue.instruments},
            frozen_wallet=venue.wallet(account),
        )

    def positions(self, venue: Venue, account: Account, symbol: str) -> list[Position]:
        """With a symbol every slot of it, flat ones too; without one only open positions."""
        if self.frozen_positions is None:
            return venue.positions(account, symbol=symbol)
        if symbol:
            return self.frozen_positions.get(symbol, [])
        return [position for rows in self.frozen_positions.values() for position in rows if position.size]

    def wallet(self, venue: Venue, account: Account) -> Wallet:
        """The wallet figures."""
        return self.frozen_wallet if self.frozen_wallet is not None else venue.wallet(account)

    def without_recently_closed(self, since_ms: int) -> "AccountView":
        """Leave out orders that ended after `since_ms`: neither open nor in the history yet."""
        return replace(self, closed_orders=[order for order in self.closed_orders if order.updated_ms <= since_ms])

    def without_old_history(self, since_ms: int) -> "AccountView":
        """Leave out what ended or was executed before `since_ms`."""
        return replace(
            self,
            closed_orders=[order for order in self.closed_orders if order.updated_ms >= since_ms],
            executions=[execution for execution in self.executions if execution.at_ms >= since_ms],
            closed_pnl=[closed for closed in self.closed_pnl if closed.at_ms >= since_ms],
        )


class ViewHistory:
    """Past views per account. Empty unless a lag rule is in force."""

    def __init__(self) -> None:
        self._captures: dict[str, list[tuple[int, AccountView]]] = {}

    def capture(self, venue: Venue, account: Account, now_ms: int) -> None:
        """Remember the account as it is from `now_ms` on."""
        captures = self._captures.setdefault(account.key, [])
        view = AccountView.capture(venue, account)
        if captures and captures[-1][0] >= now_ms:
            captures[-1] = (now_ms, view)
        else:
            captures.append((now_ms, view))
        del captures[:-CAPTURES_MAX]

    def at(self, key: str, at_ms: int) -> AccountView | None:
        """The account as it was at `at_ms`: the earliest known state when that is older than all."""
        captures = self._captures.get(key)
        if not captures:
            return None
        index = bisect_right(captures, at_ms, key=lambda capture: capture[0]) - 1
        return captures[max(index, 0)][1]

    def clear(self) -> None:
        """Forget everything, once no rule needs it."""
        self._captures.clear()
