"""Which path is answered by what. Read by the HTTP layer and the trade socket."""

from blitz.paper.wire.bybit import market, orders, positions, wallets
from blitz.paper.wire.calls import Handler, Route


def _public(path: str, answer: Handler) -> Route:
    return Route(method="GET", path=f"/v5/market/{path}", answer=answer, signed=False)


def _read(path: str, answer: Handler) -> Route:
    return Route(method="GET", path=f"/v5/{path}", answer=answer)


def _change(path: str, answer: Handler) -> Route:
    return Route(method="POST", path=f"/v5/{path}", answer=answer, changes=True)


_ALL = (
    _public("time", market.server_time),
    _public("instruments-info", market.instruments_info),
    _public("tickers", market.tickers),
    _public("kline", market.kline),
    _public("mark-price-kline", market.price_kline),
    _public("index-price-kline", market.price_kline),
    _public("orderbook", market.orderbook),
    _public("recent-trade", market.recent_trade),
    _public("funding/history", market.funding_history),
    _public("risk-limit", market.risk_limit),
    _public("open-interest", market.open_interest),
    _public("price-limit", market.price_limit),
    _change("order/create", orders.create),
    _change("order/amend", orders.amend),
    _change("order/cancel", orders.cancel),
    _change("order/cancel-all", orders.cancel_all),
    _read("order/realtime", orders.realtime),
    _read("order/history", orders.history),
    _read("execution/list", orders.executions),
    _read("position/list", positions.position_list),
    _read("position/closed-pnl", positions.closed_pnl),
    _change("position/set-leverage", positions.set_leverage),
    _change("position/switch-mode", positions.switch_mode),
    _change("position/trading-stop", positions.trading_stop),
    _read("account/wallet-balance", wallets.wallet_balance),
    _read("account/info", wallets.account_info),
    _read("account/fee-rate", wallets.fee_rate),
    _change("account/set-margin-mode", wallets.set_margin_mode),
    _read("user/query-api", wallets.query_api),
    _read("asset/coin/query-info", wallets.coin_info),
)

ROUTES: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in _ALL}
