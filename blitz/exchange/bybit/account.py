"""What Bybit says of a key and of the account behind it. Pure; what is missing raises `Malformed`, never a default."""

from collections.abc import Mapping, Sequence
from typing import Any

from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.orders import ZERO
from blitz.exchange.answers import Malformed
from blitz.exchange.rows import Row, number, optional_number, text

COIN = "USDT"
IN_USE = ("locked", "totalPositionIM", "totalOrderIM")
TRADING = frozenset({"Order", "Position"})
"""Both are needed under `ContractTrade`: orders, and leverage and stops of positions."""
MOVES = frozenset({"AccountTransfer"})
TRANSFERS = frozenset({"SubMemberTransfer", "SubMemberTransferList"})
WITHDRAWS = frozenset({"Withdraw"})
WAYS_OUT = frozenset({"FiatP2P", "FiatBybitPay", "FiatConvertBroker", "FiatGlobalPay", "BitCard"})
"""Kinds of rights by which money leaves the exchange though `Wallet` does not say so."""
HARMLESS = frozenset(
    {
        "ContractTrade", "Wallet", "Spot", "Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange", "Earn",
        "NFT", "Affiliate",
    }
)  # fmt: skip
"""Kinds that trade or earn inside the account, and the two that are looked into above."""


def key_rights(row: Row) -> KeyRights:
    """The answer of GET /v5/user/query-api (Bybit V5 documentation, "Get API Key Information").

    A right under `Wallet` that nobody told us of may be one that sends money away.
    """
    kinds = row.get("permissions")
    if not isinstance(kinds, Mapping):
        raise Malformed("The exchange did not say what the key may do.")
    granted = {str(kind): _words(kinds, str(kind)) for kind in kinds}
    if "ContractTrade" not in granted or "Wallet" not in granted:
        raise Malformed("The exchange did not say what the key may do with contracts and with money.")
    wallet, ips = set(granted["Wallet"]), set(_words(row, "ips"))
    strange = wallet - MOVES - TRANSFERS - WITHDRAWS
    beyond = {kind for kind, words in granted.items() if words and kind not in HARMLESS | WAYS_OUT}
    return KeyRights(
        trades=set(granted["ContractTrade"]) >= TRADING,
        read_only=_is_read_only(row),
        withdraws=bool(wallet & WITHDRAWS) or any(granted.get(kind) for kind in WAYS_OUT),
        transfers=bool(wallet & TRANSFERS),
        moves=bool(wallet & MOVES),
        bound_to_ip="*" not in ips and bool(ips - {""}),
        unfamiliar=tuple(sorted(beyond)),
        opaque=tuple(sorted(f"Wallet {word}" for word in strange)),
    )


def balance(accounts: Sequence[Row]) -> AccountBalance:
    """The USDT of the account row of GET /v5/account/wallet-balance; a coin that is not listed is not owned.

    `availableToWithdraw` is empty on unified accounts, so what is free is counted from the margin in use; a profit that
    is not realised yet is not counted as free.
    """
    if len(accounts) != 1:
        raise Malformed("The exchange did not send one account.")
    coins = accounts[0].get("coin")
    if not isinstance(coins, list) or not all(isinstance(coin, Mapping) for coin in coins):
        raise Malformed("The exchange sent an account without its coins.")
    for coin in coins:
        if text(coin, "coin") == COIN:
            equity, wallet = number(coin, "equity"), number(coin, "walletBalance")
            used = sum((optional_number(coin, name) or ZERO for name in IN_USE), ZERO)
            return AccountBalance(equity=equity, available=max(min(equity, wallet) - used, ZERO))
    return AccountBalance(equity=ZERO, available=ZERO)


def _is_read_only(row: Row) -> bool:
    said = str(row.get("readOnly"))
    if said not in {"0", "1"}:
        raise Malformed("The exchange did not say whether the key may only read.")
    return said == "1"


def _words(row: Mapping[str, Any], field: str) -> list[str]:
    """A list of words that must be there; an empty one says that there are none."""
    words = row.get(field)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Malformed(f"The exchange sent {field} as something else than a list.")
    return words
