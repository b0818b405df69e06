"""Answers of `/v5/account/…`, `/v5/user/…` and `/v5/asset/…`: balance, settings, fee rates, key and coin facts."""

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.bybit.queries import empty_listing, instrument_of, is_linear
from blitz.paper.wire.bybit.rows import wallet_row
from blitz.paper.wire.calls import Call
from blitz.paper.wire.key_facts import bybit_facts
from blitz.paper.wire.text import JsonObject, plain

UNIFIED_ACCOUNT_2 = 5
MARGIN_MODES = {"ISOLATED_MARGIN": True, "REGULAR_MARGIN": False}


def wallet_balance(call: Call) -> JsonObject:
    """GET /v5/account/wallet-balance: one unified account holding USDT."""
    if call.params.text("accountType", "UNIFIED") != "UNIFIED":
        raise VenueRefusal(10001, "accountType only support UNIFIED.")
    row = wallet_row(call.seen.wallet(call.venue, call.account))
    wanted = [coin for coin in call.params.text("coin").split(",") if coin]
    if wanted:
        row = {**row, "coin": [coin for coin in row["coin"] if coin["coin"] in wanted]}
    return {"list": [row]}


def account_info(call: Call) -> JsonObject:
    """GET /v5/account/info."""
    return {
        "marginMode": "ISOLATED_MARGIN" if call.account.is_isolated else "REGULAR_MARGIN",
        "updatedTime": str(call.now_ms),
        "unifiedMarginStatus": UNIFIED_ACCOUNT_2,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def set_margin_mode(call: Call) -> JsonObject:
    """POST /v5/account/set-margin-mode: for the whole account."""
    mode = call.params.required("setMarginMode")
    if mode not in MARGIN_MODES:
        raise VenueRefusal(10001, f"params error: setMarginMode {mode} is not offered by this paper exchange")
    call.venue.set_margin_mode(call.account, isolated=MARGIN_MODES[mode], now_ms=call.now_ms)
    return {"reasons": []}


def fee_rate(call: Call) -> JsonObject:
    """GET /v5/account/fee-rate."""
    if not is_linear(call):
        return empty_listing(call)
    listed = [instrument_of(call)] if call.params.text("symbol") else list(call.venue.instruments.values())
    return {
        "category": "linear",
        "list": [
            {
                "symbol": instrument.symbol,
                "takerFeeRate": plain(instrument.taker_fee_rate),
                "makerFeeRate": plain(instrument.maker_fee_rate),
                "baseCoin": "",
            }
            for instrument in listed
        ],
    }


def query_api(call: Call) -> JsonObject:
    """GET /v5/user/query-api: what the key may do. The secret is never shown."""
    return {
        "id": str(call.account.user_id),
        "note": "paper",
        "apiKey": call.key,
        "secret": "",
        **bybit_facts(call.account.key_facts),
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2100-01-01T00:00:00Z",
        "createdAt": "2020-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": call.account.user_id,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


def coin_info(call: Call) -> JsonObject:
    """GET /v5/asset/coin/query-info: every coin that is listed. Nothing can be deposited or withdrawn."""
    bases = (instrument.base_coin for instrument in call.venue.instruments.values())
    coins = dict.fromkeys(["USDT", *bases])
    wanted = call.params.text("coin")
    return {"rows": [_coin(coin) for coin in coins if wanted in ("", coin)]}


def _coin(coin: str) -> JsonObject:
    chain = {
        "chain": coin,
        "chainType": coin,
        "confirmation": "1",
        "chainDeposit": "0",
        "chainWithdraw": "0",
        "depositMin": "0",
        "withdrawMin": "0",
        "withdrawFee": "0",
        "withdrawPercentageFee": "0",
        "minAccuracy": "8",
    }
    return {"name": coin, "coin": coin, "remainAmount": "0", "chains": [chain]}
