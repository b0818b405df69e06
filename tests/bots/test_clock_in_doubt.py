"""The exchange's time in doubt: a real bot opens nothing and goes on protecting, until a second answer agrees (A12)."""

import time

from blitz.core.clock_watch import CLOCK_UNSURE
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange import venue_clock
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from tests.bots.both import BOTH
from tests.bots.stage import until

TIME_PATHS = {"bybit": "market/time", "bingx": "server/time"}
LADDER = {
    "tp": ("0.016", "60300"),
    "leg_1": ("0.016", "59400"),
    "leg_2": ("0.034", "58806"),
    "leg_3": ("0.069", "57629.9"),
}


@BOTH
def test_no_leg_returns_and_the_take_profit_follows_until_the_time_is_known_again(stage, monkeypatch):
    exchanges = Exchanges(stage.clock)
    stage.manager = stage.new_manager(exchanges=exchanges)
    alice = stage.trader()
    alice.start()
    alice.wait_for_ladder(LADDER)
    stage.fault("http_status", status="503", endpoint=TIME_PATHS[stage.exchange])
    clock = exchanges.clock(Venue(exchange=ExchangeName(stage.exchange), mode=Mode.PAPER, base_url=stage.url))
    now_ms = clock.monotonic_ms()
    assert clock.measured(now_ms, now_ms, clock.now_ms() + 400), "as if a clock had jumped"

    attention = until(lambda: alice.status().get("attention"), "the doubt to be told")
    assert attention["code"] == CLOCK_UNSURE
    alice.cancel(alice.named()["leg_2"].tag)
    stage.price("59400")
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "leg_3": LADDER["leg_3"]})
    time.sleep(2.5)  # a leg that was cancelled by hand comes back after a second and a half
    assert set(alice.named()) == {"tp", "leg_3"}

    monkeypatch.setattr(venue_clock, "AGAIN_MS", 0)
    stage.lift_faults()
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "leg_2": LADDER["leg_2"], "leg_3": LADDER["leg_3"]})
    until(lambda: alice.status()["message"] == "Bot is running", "a quiet end")
    alice.assert_books_agree()
