"""Which method and path is answered by what. One path may serve several methods."""

from blitz.paper.wire.bingx import account, history, market, orders, replacing
from blitz.paper.wire.calls import Handler, Route

SWAP = "/openApi/swap"


def _public(path: str, answer: Handler) -> Route:
    return Route(method="GET", path=f"{SWAP}/{path}", answer=answer, signed=False)


def _read(path: str, answer: Handler, alias: str = "") -> Route:
    return Route(method="GET", path=f"{SWAP}/{path}", answer=answer, alias=alias)


def _change(method: str, path: str, answer: Handler, alias: str = "", *, halves: bool = False) -> Route:
    return Route(method=method, path=f"{SWAP}/{path}", answer=answer, changes=True, alias=alias, halves=halves)


def _of_the_key(path: str, answer: Handler, alias: str = "") -> Route:
    return Route(method="GET", path=f"/openApi/v1/account/{path}", answer=answer, alias=alias)


_ALL = (
    _public("v2/server/time", market.server_time),
    _public("v2/quote/contracts", market.contracts),
    _public("v2/quote/ticker", market.ticker),
    _public("v2/quote/premiumIndex", market.premium_index),
    _public("v2/quote/price", market.price),
    _public("v1/ticker/price", market.price),
    _public("v2/quote/depth", market.depth),
    _public("v2/quote/bookTicker", market.book_ticker),
    _public("v2/quote/trades", market.trades),
    _public("v3/quote/klines", market.klines),
    _public("v1/market/markPriceKlines", market.mark_klines),
    _public("v1/market/historicalTrades", market.old_trades),
    _public("v2/quote/fundingRate", market.funding_rates),
    _public("v2/quote/openInterest", market.open_interest),
    Route(method="GET", path="/openApi/cswap/v1/market/contracts", answer=market.nothing_listed, signed=False),
    Route(method="GET", path="/openApi/spot/v1/common/symbols", answer=market.no_spot_pairs, signed=False),
    Route(method="GET", path="/openApi/wallets/v1/capital/config/getall", answer=market.coins),
    _change("POST", "v2/trade/order", orders.place, "order/create"),
    _change("DELETE", "v2/trade/order", orders.cancel, "order/cancel"),
    _change("POST", "v1/trade/amend", replacing.amend, "order/amend"),
    _change("POST", "v1/trade/cancelReplace", replacing.cancel_replace, "order/replace", halves=True),
    _read("v2/trade/order", orders.query),
    _read("v2/trade/openOrders", orders.open_orders, "order/realtime"),
    _change("DELETE", "v2/trade/allOpenOrders", orders.cancel_all, "order/cancel-all"),
    _read("v2/trade/allOrders", history.all_orders),
    _read("v1/trade/fullOrder", history.full_order, "order/history"),
    _read("v2/trade/allFillOrders", history.all_fill_orders),
    _read("v2/trade/fillHistory", history.fill_history, "execution/list"),
    _read("v2/trade/forceOrders", history.force_orders),
    _read("v2/user/income", history.income),
    _read("v2/user/positions", account.positions, "position/list"),
    _read("v3/user/balance", account.balance, "account/wallet-balance"),
    _read("v2/user/commissionRate", account.commission_rate, "account/fee-rate"),
    _read("v2/trade/leverage", account.leverage),
    _change("POST", "v2/trade/leverage", account.set_leverage, "position/set-leverage"),
    _read("v2/trade/marginType", account.margin_type),
    _change("POST", "v2/trade/marginType", account.set_margin_type, "account/set-margin-mode"),
    _read("v1/positionSide/dual", account.position_mode),
    _change("POST", "v1/positionSide/dual", account.set_position_mode, "position/switch-mode"),
    _read("v1/maintMarginRatio", account.maintenance_tiers),
    _of_the_key("apiPermissions", account.api_permissions, "user/query-api"),
    _of_the_key("apiRestrictions", account.api_restrictions),
)

ROUTES: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in _ALL}
