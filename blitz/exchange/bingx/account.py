"""What BingX says of a key and of the account behind it. Pure; what is missing raises `Malformed`, never a default."""

from collections.abc import Mapping, Sequence
from typing import Any

from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.orders import ZERO
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx.codes import ENVELOPE
from blitz.exchange.bingx.rows import truth
from blitz.exchange.rows import Row, number, text

COINS = ("USDT", "VST")
"""What a ladder is paid with: VST is the play money of the demo account."""
SPOT, READ, TRADE, UNIVERSAL_TRANSFER, WITHDRAW, SUB_TRANSFER = "1", "2", "3", "4", "5", "7"
TRANSFERS = frozenset({UNIVERSAL_TRANSFER, SUB_TRANSFER})
"""Both may send coins to another user by number, phone or e-mail."""
KNOWN = TRANSFERS | {SPOT, READ, TRADE, WITHDRAW}


def key_rights(answer: object) -> KeyRights:
    """The answer of GET /openApi/v1/account/apiPermissions.

    BingX documents it in two forms: a list of numbers with the addresses, or a flag for each right; both come with or
    without an envelope.
    """
    is_bare = isinstance(answer, Mapping) and "code" not in answer
    row = answer if is_bare else ENVELOPE.opened(answer)
    if not isinstance(row, Mapping):
        raise Malformed("The exchange did not say what the key may do.")
    return _of_numbers(row) if "permissions" in row else _of_flags(row)


def balance(rows: Sequence[Row]) -> AccountBalance:
    """The account of GET /openApi/swap/v3/user/balance; a coin that is not listed is not owned."""
    by_coin = {text(row, "asset"): row for row in rows}
    for coin in COINS:
        if coin in by_coin:
            row = by_coin[coin]
            return AccountBalance(equity=number(row, "equity"), available=max(number(row, "availableMargin"), ZERO))
    return AccountBalance(equity=ZERO, available=ZERO)


def _of_numbers(row: Mapping[str, Any]) -> KeyRights:
    granted, addresses = row.get("permissions"), row.get("ipAddresses")
    if not isinstance(granted, list) or not isinstance(addresses, list):
        raise Malformed("The exchange sent the key's rights as something else than lists.")
    numbers = {str(each) for each in granted}
    return KeyRights(
        trades=TRADE in numbers,
        read_only=numbers <= {READ},
        withdraws=WITHDRAW in numbers,
        transfers=bool(numbers & TRANSFERS),
        moves=False,
        bound_to_ip=any(str(each).strip() not in {"", "*", "0.0.0.0"} for each in addresses),  # noqa: S104 - compared
        opaque=tuple(sorted(numbers - KNOWN)),
    )


def _of_flags(row: Mapping[str, Any]) -> KeyRights:
    trades, spot = truth(row, "enableFutures"), truth(row, "enableSpotAndMarginTrading")
    return KeyRights(
        trades=trades,
        read_only=not trades and not spot,
        withdraws=truth(row, "enableWithdrawals"),
        transfers=truth(row, "permitsUniversalTransfer") or truth(row, "enableInternalTransfer"),
        moves=False,
        bound_to_ip=truth(row, "ipRestrict"),
    )
