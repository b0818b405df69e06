"""Going live: what a key may do, what the ladder may cost, and whether real money may be traded with them. Pure.

The facts are read at the exchange by `exchange`; `bots.going_live` puts them together. What could not be read is never
taken for a yes (S9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.orders import ZERO, Side
from blitz.core.preview import LadderPreview, LegPreview, money


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What the exchange says that a key may do."""

    trades: bool
    """Orders and positions of perpetual contracts."""
    read_only: bool
    withdraws: bool
    """Money may leave the exchange, whatever the exchange calls the way out."""
    transfers: bool
    """Money may go to another account of the exchange, a sub-account included."""
    moves: bool
    """Money may go from one wallet of the same account to another."""
    bound_to_ip: bool
    """The exchange takes the key from listed addresses only."""
    unfamiliar: tuple[str, ...] = ()
    """Rights that this project does not know and that are not about money, in the exchange's words."""
    opaque: tuple[str, ...] = ()
    """Rights that it does not know and that may be about money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """What is in the account that trades, USDT."""

    equity: Decimal
    """Balance with the profit and loss of open positions."""
    available: Decimal
    """What is left for new orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that stands against going live, or that the trader has to know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What is at stake once the ladder trades: the plan as the live code lays it out, against the real balance."""

    preview: LadderPreview
    balance: AccountBalance
    worst_loss: Decimal
    """USDT, fees included, slippage left out."""
    worst_case: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCheck:
    """Everything that was found. Nothing stands against going live exactly when there are no `refusals`."""

    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    rights: KeyRights | None = None
    """None when the exchange did not say, or was not asked."""
    stake: Stake | None = None


def against_key(rights: KeyRights) -> list[Finding]:
    """Why this key must not trade real money here: a server that is broken into must not cost more than trades can."""
    findings = []
    if rights.withdraws:
        said = "This key may withdraw. Make one at the exchange that may only trade contracts, and enter that one."
        findings.append(Finding(code="key_can_withdraw", message=said))
    if rights.transfers:
        said = (
            "This key may send money to other accounts. Take that right from it at the exchange, or make another key."
        )
        findings.append(Finding(code="key_can_transfer", message=said))
    if rights.opaque:
        names = ", ".join(rights.opaque)
        said = (
            f"This key has rights that this server does not know and that may move money: {names}. Make a key at the "
            "exchange that may only trade contracts."
        )
        findings.append(Finding(code="key_not_understood", message=said))
    if rights.read_only:
        said = "This key may only read. Make one at the exchange that may trade contracts."
        findings.append(Finding(code="key_read_only", message=said))
    elif not rights.trades:
        said = "This key may not trade contracts. Give it orders and positions of contracts at the exchange."
        findings.append(Finding(code="key_cannot_trade", message=said))
    return findings


def about_key(rights: KeyRights) -> list[Finding]:
    """What the trader has to know of a key that may trade."""
    findings = []
    if not rights.bound_to_ip:
        said = (
            "This key works from every address. Bind it at the exchange to the address of this server, so that it is "
            "worth nothing to whoever steals it."
        )
        findings.append(Finding(code="key_not_bound", message=said))
    if rights.moves:
        said = (
            "This key may move money between the wallets of its account. The bot never does; take that right from it."
        )
        findings.append(Finding(code="key_moves", message=said))
    if rights.unfamiliar:
        said = f"This key has rights that this server does not know: {', '.join(rights.unfamiliar)}."
        findings.append(Finding(code="key_unfamiliar", message=said))
    return findings


def stake_of(preview: LadderPreview, balance: AccountBalance) -> Stake:
    """What the ladder may cost. `preview` has to be made with this balance: it holds the liquidation prices."""
    settings, last = preview.settings, preview.legs[-1]
    loss = loss_at_stop(preview, last)
    if loss is not None and not liquidated_before(settings.side, last):
        said = (
            f"With every leg filled, the stop-loss ends the cycle with a loss of about {money(loss)} USDT; a fast "
            "market may make it more."
        )
    elif settings.margin_mode is MarginMode.ISOLATED:
        loss = preview.margin + last.entry_fees
        said = f"{_why(loss_at_stop(preview, last))} The whole margin may be lost, {money(loss)} USDT with fees."
    else:
        loss = max(balance.equity, ZERO)
        if settings.side is Side.LONG:  # a price falls to zero at most
            loss = min(loss, preview.notional + last.entry_fees)
        said = (
            f"{_why(loss_at_stop(preview, last))} In cross margin the whole balance stands behind the position: "
            f"{money(loss)} USDT may be lost."
        )
    return Stake(preview=preview, balance=balance, worst_loss=loss, worst_case=said)


def about_stake(stake: Stake) -> list[Finding]:
    """What the trader has to know of the ladder against the balance."""
    needed = stake.preview.margin + stake.preview.legs[-1].entry_fees
    if needed <= stake.balance.available:
        return []
    said = (
        f"The whole ladder takes {money(needed)} USDT of margin and fees, and {money(stake.balance.available)} USDT "
        "are available: the exchange will refuse the deeper legs."
    )
    return [Finding(code="balance_short", message=said)]


def loss_at_stop(preview: LadderPreview, last: LegPreview) -> Decimal | None:
    """What the stop-loss costs with every leg filled: the move, the entries' fees and a taker's; None without one."""
    if last.stop_loss is None:
        return None
    quantity = sum((row.quantity for row in preview.legs), ZERO)
    brings = last.stop_loss * quantity
    return (preview.notional - brings).copy_abs() + last.entry_fees + brings * preview.instrument.taker_rate


def liquidated_before(side: Side, last: LegPreview) -> bool:
    """Say whether the exchange would close the position before its stop-loss triggers."""
    if last.stop_loss is None or last.liquidation is None:
        return False
    return last.liquidation >= last.stop_loss if side is Side.LONG else last.liquidation <= last.stop_loss


def findings_json(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The API's form."""
    return [{"code": each.code, "message": each.message} for each in findings]


def stake_json(stake: Stake) -> dict[str, object]:
    """The API's form; money as strings."""
    return {
        "balance": {"equity": plain(stake.balance.equity), "available": plain(stake.balance.available)},
        "worst_loss": money(stake.worst_loss),
        "worst_case": stake.worst_case,
        "plan": stake.preview.to_json(),
    }


def _why(loss: Decimal | None) -> str:
    if loss is None:
        return "There is no stop-loss."
    return "The exchange liquidates the position before the stop-loss triggers."
