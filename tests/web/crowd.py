"""A crowd on a server: thousands of users, many with a bot that runs, without the weight of real trading.

Users, cycles and lines of the feed are inserted as the stores would write them. A seated bot is a real one whose thread
was never started: the manager lists it with a picture of a position, as it does with bots that trade.
"""

import json
import threading
import time
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import insert

from blitz.bots.manager import BotInfo, SimpleBotManager
from blitz.bots.protection import Cause, CauseCode, Cover, Protection
from blitz.bots.status import MESSAGES, BotSnapshot, BotStatus
from blitz.bots.user_bot import UserBot
from blitz.core.ladder_settings import DEFAULT_SETTINGS, LadderSettings, parse_settings
from blitz.core.memory import Attention
from blitz.core.records import Cycle, CycleEnd
from blitz.storage.database import Database
from blitz.storage.rows import cycle_to_row
from blitz.storage.tables import cycles, users

BARE = Cause(code=CauseCode.REFUSED, said="The exchange refused the take-profit.")
TROUBLE = Attention(code="key_rejected", message="The exchange refuses the key. Enter a valid key under Settings.")
CYCLE = {"started_at": "2026-01-01T12:00:00", "realised": "0", "fees": "0.5", "funding": "0"}
POSITION = {
    "quantity": "0.1",
    "average": "60000",
    "leverage": "10",
    "unrealised": "10",
    "liquidation": None,
    "last_price": "60100",
}
PART = 500


def settings_of(place: int) -> LadderSettings:
    """Mostly paper, some demo, few live; two exchanges."""
    mode = "live" if place % 10 == 9 else "demo" if place % 5 == 3 else "paper"
    exchange = "bingx" if place % 3 == 2 else "bybit"
    return parse_settings({"mode": mode, "exchange": exchange}, base=DEFAULT_SETTINGS)


def insert_people(db: Database, count: int, *, cycles_each: int = 0, began_ms: int = 1_735_732_800_000) -> list[int]:
    """So many traders, each with closed cycles; answers their numbers."""
    numbers: list[int] = []
    for start in range(0, count, PART):
        part = range(start, min(start + PART, count))
        rows = [_user_row(place, began_ms) for place in part]
        with db.write() as connection:
            made = [connection.execute(insert(users).values(row).returning(users.c.id)).scalar_one() for row in rows]
            closed = [
                cycle_to_row(_closed(number, settings_of(place), began_ms), user_id, settings_of(place).account)
                for place, user_id in zip(part, made, strict=True)
                for number in range(1, cycles_each + 1)
            ]
            if closed:
                connection.execute(insert(cycles), closed)
        numbers += made
    return numbers


def _user_row(place: int, began_ms: int) -> dict[str, object]:
    settings = settings_of(place)
    row = settings.to_json()
    figures = {name: getattr(settings, name) for name in ("leverage", "take_profit", "stop_loss")}
    return {
        "email": f"trader{place:05d}@example.org",
        "password_hash": "nobody signs in with this",
        "role": "trader",
        "active": True,
        "created_ms": began_ms,
        "api_key_hint": "",
        **row,
        **figures,
        "grids": json.dumps(row["grids"]),
    }


def _closed(number: int, settings: LadderSettings, began_ms: int) -> Cycle:
    return Cycle(
        number=number,
        settings=settings,
        started_ms=began_ms + number,
        ended_ms=began_ms + number + 1,
        end=CycleEnd.TAKE_PROFIT,
        realised=Decimal("1.25"),
        fees=Decimal("0.25"),
        legs_filled=1,
    )


def seat(manager: SimpleBotManager, user_id: int, place: int) -> None:
    """List a bot for this user: most are protected, every 50th is bare, every 40th needs attention."""
    bot = UserBot(user_id, manager._parts, manager._changed, manager._looked)
    bot.snapshot = picture(bot.snapshot.settings, place)
    with manager._lock:
        manager.managed_bots[user_id] = BotInfo(
            thread=threading.current_thread(),
            stop_event=bot.stop_event,
            start_time=time.monotonic() - 60 * place,
            status=bot.snapshot.status.value,
            bot=bot,
        )


def picture(settings: LadderSettings, place: int) -> BotSnapshot:
    """What such a bot has published."""
    began_ms = int(time.time() * 1000) - 600_000
    shown = BotSnapshot(
        status=BotStatus.RUNNING,
        message=MESSAGES[BotStatus.RUNNING],
        settings=settings,
        cycle={"number": 1 + place, "legs_filled": 1 + place % 3, "legs": 4, **CYCLE},
        position=POSITION,
        protection=Protection(cover=Cover.PROTECTED, since_ms=began_ms, why="Every exit rests for the whole position."),
    )
    if place % 50 == 7:
        bare = Protection(cover=Cover.UNPROTECTED, since_ms=began_ms, cause=BARE, why=BARE.said)
        return replace(shown, protection=bare)
    if place % 40 == 11:
        flat = Protection(cover=Cover.NO_POSITION, why="There is no position.")
        return replace(
            shown,
            status=BotStatus.NEEDS_ATTENTION,
            message=TROUBLE.message,
            attention=TROUBLE,
            cycle=None,
            position=None,
            protection=flat,
        )
    return shown
