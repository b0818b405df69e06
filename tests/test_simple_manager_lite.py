"""The documented test of SimpleBotManager: plain unittest, the real manager, the real paper exchange, no pytest.

Runs as `python -m unittest tests.test_simple_manager_lite -v` and as `python tests/test_simple_manager_lite.py`.
"""
# ruff: noqa: PT009 - plain unittest on purpose

import re
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from inspect import Parameter, signature
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import structlog

from blitz.bots.manager import SimpleBotManager
from blitz.exchange.bybit.gateway import order_params
from tests.bots.stage import opened_stage

NAMES = ("tp", "leg_1", "leg_2", "leg_3")
TAG = re.compile(r"sm_(leg_\d+|tp)_\d+_BTCUSDTUSDT")


def setUpModule() -> None:
    """The log of the bots would drown the result."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def tearDownModule() -> None:
    structlog.reset_defaults()


class SimpleManagerLite(unittest.TestCase):
    """One stage per test: exchange, database, a manager and two traders."""

    exchange = "bybit"

    def setUp(self) -> None:
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.stage = stack.enter_context(opened_stage(exchange=self.exchange))
        self.manager = self.stage.manager
        self.alice = self.stage.trader("alice")
        self.bob = self.stage.trader("bob")

    def test_duplicate_start_is_refused(self) -> None:
        self.assertEqual(
            self.alice.start(), {"success": True, "message": "Bot started successfully", "status": "started"}
        )
        again = self.alice.start()
        self.assertEqual((again["success"], again["status"]), (False, "already_running"))

    def test_no_global_start_regression(self) -> None:
        self.alice.start()
        self.alice.wait_for_names(*NAMES)
        self.assertEqual(set(self.manager.managed_bots), {self.alice.id})
        self.assertFalse(self.manager.get_bot_status(self.bob.id)["running"])
        self.assertEqual(self.bob.account()["counts"]["order_history"], "0")
        self.assertEqual(self.bob.truth(), {})

    def test_order_tags_are_the_documented_ones(self) -> None:
        self.alice.start()
        self.alice.wait_for_names(*NAMES)
        user, kept = self.alice.id, self.stage.kept
        documented = {f"sm_tp_{user}_BTCUSDTUSDT"} | {f"sm_leg_{leg}_{user}_BTCUSDTUSDT" for leg in (1, 2, 3)}
        self.assertEqual(set(self.alice.resting()), {kept(tag) for tag in documented})
        self.assertEqual(
            [row["orderLinkId"] for row in self.alice.account()["executions"]], [kept(f"sm_leg_0_{user}_BTCUSDTUSDT")]
        )
        self.assertTrue(all(TAG.fullmatch(tag) for tag in documented))

    def test_recover_orders_idempotence(self) -> None:
        self.alice.start()
        before = self.alice.wait_for_names(*NAMES)
        user = self.alice.id
        self.alice.cancel(*(self.alice.tag(name) for name in ("tp", "leg_1", "leg_3")))
        first = self.manager.recover_orders_for_user(user)
        self.assertTrue(first["success"])
        self.assertEqual(first["message"], "Recovery process completed")
        self.assertEqual(first["actions"], ["checked_positions", "created_tp", "created_leg_1", "created_leg_3"])
        self.assertEqual(self.alice.ladder(), before)
        for _ in range(2):
            again = self.manager.recover_orders_for_user(user)
            self.assertEqual(again["actions"], ["checked_positions", "no_missing_orders"])
        self.assertEqual(self.alice.ladder(), before)

    def test_sixty_four_starts_at_once_start_exactly_one_bot(self) -> None:
        barrier = threading.Barrier(64)

        def press() -> str:
            barrier.wait(10)
            return str(self.alice.start()["status"])

        with ThreadPoolExecutor(64) as pool:
            told = [future.result() for future in [pool.submit(press) for _ in range(64)]]
        self.assertEqual(sorted(told), ["already_running"] * 63 + ["started"])
        self.assertEqual(len(self.manager.managed_bots), 1)

    def test_statuses_are_true(self) -> None:
        user = self.alice.id
        self.assertEqual(self._four(user), (False, "not_running", 0, "Bot is not running"))
        self.alice.start()
        told = self.alice.wait_for_status("running")
        self.assertEqual((told["running"], told["message"]), (True, "Bot is running"))
        overview = self.manager.get_all_bot_statuses()
        self.assertEqual(overview["users"][str(user)]["status"], "running")
        self.assertEqual(overview["totals"]["total_running"], 1)
        self.alice.wait_for_names(*NAMES)
        self.assertEqual(self.alice.stop()["status"], "stopped")
        running, status, *_ = self._four(user)
        self.assertEqual((running, status), (False, "stopped"))
        self.assertEqual(self.manager.stop_bot_for_user(user)["status"], "not_running")

    def test_a_bot_is_one_named_thread_with_the_documented_record(self) -> None:
        self.alice.start()
        info = self.manager.managed_bots[self.alice.id]
        self.assertLessEqual({"thread", "stop_event", "start_time", "status"}, set(info))
        self.assertEqual(info["thread"].name, f"bot_user_{self.alice.id}")
        self.assertIsInstance(info["stop_event"], threading.Event)
        self.alice.stop()
        self.assertNotIn(self.alice.id, self.manager.managed_bots)
        self.assertFalse(info["thread"].is_alive())

    def _four(self, user: int) -> tuple[object, ...]:
        told = self.manager.get_bot_status(user)
        self.assertEqual(list(told)[:4], ["running", "status", "uptime", "message"])
        return tuple(told[name] for name in ("running", "status", "uptime", "message"))


class SimpleManagerLiteAtBingx(SimpleManagerLite):
    """The same at BingX, which keeps the documented tags in lower case."""

    exchange = "bingx"


class Documented(unittest.TestCase):
    """What is as documented wherever a bot trades."""

    def test_a_tag_travels_in_all_six_ccxt_fields(self) -> None:
        fields = {"text", "clientOrderId", "clientOrderID", "newClientOrderId", "orderLinkId", "label"}
        self.assertEqual(order_params("sm_tp_7_BTCUSDT"), dict.fromkeys(fields, "sm_tp_7_BTCUSDT"))

    def test_the_five_methods_have_the_documented_signatures(self) -> None:
        for name in ("start_bot_for_user", "stop_bot_for_user", "get_bot_status", "recover_orders_for_user"):
            first, *more = list(signature(getattr(SimpleBotManager, name)).parameters.values())[1:]
            self.assertEqual((first.name, first.annotation), ("user_id", int), name)
            self.assertTrue(all(one.kind is Parameter.KEYWORD_ONLY for one in more), name)
        self.assertEqual(dict(signature(SimpleBotManager.get_all_bot_statuses).parameters).keys(), {"self"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
