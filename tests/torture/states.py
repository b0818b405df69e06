"""Doctored books for the checkers: one trader, a ladder, and rows as `GET /__paper/state` writes them."""

from decimal import Decimal
from typing import Any

from blitz.torture.ladder import Ladder, Rung
from blitz.torture.market import MARKETS
from blitz.torture.truth import AccountTruth, Execution

USER = 7
KEY = "trader-1"
TP = "sm_tp_7_BTCUSDTUSDT"


def leg(index: int, user: int = USER) -> str:
    return f"sm_leg_{index}_{user}_BTCUSDTUSDT"


def ladder(*, is_long: bool = True, stop_loss: int = 0) -> Ladder:
    """Amounts 100/100/200/400, gaps –/1/1/2, leverage 10: the worked check of docs/ladder.md."""
    rungs = zip((100, 100, 200, 400), (0, 1, 1, 2), strict=True)
    return Ladder(
        market=MARKETS[0],
        is_long=is_long,
        leverage=Decimal(10),
        rungs=tuple(Rung(amount=Decimal(amount), gap=Decimal(gap)) for amount, gap in rungs),
        take_profit=Decimal(5),
        stop_loss=Decimal(stop_loss),
    )


def order(link_id: str, *, side: str = "Buy", quantity: str = "0.016", **more: Any) -> dict[str, Any]:
    row = {
        "orderId": f"id-of-{link_id}",
        "orderLinkId": link_id,
        "symbol": "BTCUSDT",
        "side": side,
        "price": "59400",
        "triggerPrice": "",
        "qty": quantity,
        "leavesQty": quantity,
        "reduceOnly": False,
    }
    return row | more


def exit_order(quantity: str, link_id: str = TP, side: str = "Sell", **more: Any) -> dict[str, Any]:
    return order(link_id, side=side, quantity=quantity, reduceOnly=True, **more)


def account(*orders: dict[str, Any], size: str = "0", side: str = "Buy") -> AccountTruth:
    return AccountTruth.read(
        {
            "key": KEY,
            "realised": "0",
            "fees": "0",
            "funding": "0",
            "positions": [{"symbol": "BTCUSDT", "side": side, "size": size}],
            "open_orders": list(orders),
        }
    )


def execution(link_id: str, quantity: str, price: str, *, side: str = "Buy", order_id: str = "") -> Execution:
    return Execution(
        exec_id=f"{link_id}-{quantity}-{price}",
        order_id=order_id or f"id-of-{link_id}",
        link_id=link_id,
        symbol="BTCUSDT",
        side=side,
        kind="Trade",
        quantity=Decimal(quantity),
        price=Decimal(price),
    )
