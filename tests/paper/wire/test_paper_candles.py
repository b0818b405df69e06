from decimal import Decimal

import pytest

from blitz.paper.wire.feeds.candles import Candle, CandleFileError, read_candles

HEADER = "timestamp,open,high,low,close,volume\n"


def written(tmp_path, *rows, header=HEADER):
    path = tmp_path / "bars.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def candle(opened, high, low, close):
    prices = (Decimal(price) for price in (opened, high, low, close))
    opened, high, low, close = prices
    return Candle(start_ms=0, open=opened, high=high, low=low, close=close, volume=Decimal(1))


@pytest.mark.parametrize(
    "stamp",
    ["2022-01-01 00:00:00.000000", "2022-01-01T00:00:00Z", "2022-01-01T01:00:00+01:00", "1640995200", "1640995200000"],
)
def test_a_moment_is_read_in_every_usual_form(tmp_path, stamp):
    [bar] = read_candles(written(tmp_path, f"{stamp},1,2,0.5,1.5,10"))
    assert bar.start_ms == 1_640_995_200_000


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2022-01-01 00:01:00,1,2", "6 columns"),
        ("yesterday,1,2,0.5,1.5,10", "not a date"),
        ("2022-01-01 00:01:00,one,2,0.5,1.5,10", "open is not a number"),
        ("2022-01-01 00:01:00,1,NaN,0.5,1.5,10", "not a finite number"),
        ("2022-01-01 00:01:00,1,2,0,1.5,10", "low must be above zero"),
        ("2022-01-01 00:01:00,1,1.2,0.5,1.5,10", "between low and high"),
        ("2022-01-01 00:01:00,1,2,0.5,1.5,-1", "volume is negative"),
        ("2022-01-01 00:00:00,1,2,0.5,1.5,10", "not after"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path, row, complaint):
    path = written(tmp_path, "2022-01-01 00:00:00,1,2,0.5,1.5,10", row)
    with pytest.raises(CandleFileError, match=f"line 3: .*{complaint}"):
        read_candles(path)


def test_a_missing_header_an_empty_file_and_no_file_are_each_one_sentence(tmp_path):
    with pytest.raises(CandleFileError, match="line 1"):
        read_candles(written(tmp_path, "2022-01-01,1,1,1,1,1", header=""))
    with pytest.raises(CandleFileError, match="no candles"):
        read_candles(written(tmp_path))
    with pytest.raises(CandleFileError, match="cannot be read"):
        read_candles(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("bar", "walk"),
    [
        (("10", "11", "7", "8"), "10 11 7 8"),
        (("10", "14", "9", "8"), "10 9 14 8"),
        (("10", "12", "8", "11"), "10 8 12 11"),
    ],
)
def test_a_bar_is_walked_to_the_nearer_extreme_first(bar, walk):
    assert [str(price) for price in candle(*bar).walk()] == walk.split()


def test_real_candles_are_read_whole(shared_data):
    bars = read_candles(shared_data("btc-perp-1m-2022-01.csv"))
    assert (len(bars), bars[0].start_ms, bars[-1].close) == (45_031, 1_640_991_660_000, bars[-1].close)
