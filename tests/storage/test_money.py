from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import StatementError

from blitz.storage.money import DecimalText

PRICES = Table("prices", MetaData(), Column("id", Integer, primary_key=True), Column("price", DecimalText))


@pytest.fixture(scope="module")
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        PRICES.create(opened)
        yield opened
    engine.dispose()


def stored(connection, value):
    row_id = connection.execute(insert(PRICES).values(price=value).returning(PRICES.c.id)).scalar_one()
    return connection.scalar(select(PRICES.c.price).where(PRICES.c.id == row_id))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_every_amount_comes_back_equal(connection, value):
    assert stored(connection, value) == value


@pytest.mark.parametrize(
    "text", ["123456789012345.678901234567890", "0.100000000000000000000000000001", "-0.00000001", "60000.10"]
)
def test_thirty_digits_come_back_digit_for_digit(connection, text):
    assert format(stored(connection, Decimal(text)), "f") == text


def test_a_person_can_read_the_column(connection):
    connection.execute(insert(PRICES).values(id=7_000, price=Decimal("1E-8")))

    raw = connection.exec_driver_sql("SELECT price, typeof(price) FROM prices WHERE id = 7000").one()

    assert tuple(raw) == ("0.00000001", "text")


def test_nothing_stays_nothing(connection):
    assert stored(connection, None) is None


@pytest.mark.parametrize("value", [0.1, 1, "1.5", Decimal("NaN"), Decimal("Infinity"), Decimal("1E+999999")])
def test_what_is_not_money_is_refused(connection, value):
    with pytest.raises(StatementError):
        stored(connection, value)
