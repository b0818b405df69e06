"""Remembers that a trader went live, with the line of the feed that tells it: both or neither.

Called by `users`. What takes it back stands in the statements there that store other keys, or another exchange or mode.
"""

from sqlalchemy import insert, select, update

from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName, Mode, account_name
from blitz.core.records import BotEvent
from blitz.storage.database import Database
from blitz.storage.rows import event_to_row
from blitz.storage.secrets import SecretBox
from blitz.storage.tables import events, users

KEY_COLUMNS = ("api_key", "api_secret")


def go_live(
    db: Database, box: SecretBox, user_id: int, checked: Credentials, exchange: ExchangeName, told: BotEvent
) -> bool:
    """Arm the user for the keys that were checked at the exchange, at the moment that `told` names.

    False, and nothing is remembered, when keys, exchange or mode are others by now. Raises `SecretUnreadable`.
    """
    mine = users.c.id == user_id
    with db.write_durable() as connection:
        row = connection.execute(select(users.c.api_key, users.c.api_secret).where(mine)).mappings().first()
        if row is None or None in row.values():
            return False
        opened = {
            column: box.open(row[column], table="users", user_id=user_id, column=column) for column in KEY_COLUMNS
        }
        if Credentials(**opened) != checked:
            return False
        # The sealed texts are compared again: where writers do not wait for each other, a new key may come in between.
        same_keys = (users.c.api_key == row["api_key"]) & (users.c.api_secret == row["api_secret"])
        same_venue = (users.c.mode == Mode.LIVE.value) & (users.c.exchange == exchange.value)
        armed = update(users).where(mine, same_keys, same_venue).values(live_since_ms=told.at_ms)
        if connection.execute(armed).rowcount != 1:
            return False
        account = account_name(exchange.value, Mode.LIVE.value, testnet=False)
        connection.execute(insert(events).values(event_to_row(told, user_id, account)))
        return True
