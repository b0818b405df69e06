"""A tag has to fit what the venue takes, and that is said when settings are saved."""

import pytest

from blitz.core.tags import TagBook
from blitz.errors import SettingsProblem


def test_a_market_whose_tags_are_too_long_is_refused_with_the_shorter_way_to_write_it() -> None:
    book = TagBook(user_id=1_234_567, symbol="1000000BABYDOGE/USDT:USDT")

    with pytest.raises(SettingsProblem, match="write the symbol as 1000000BABYDOGE/USDT") as refused:
        book.check(11)

    assert list(refused.value.errors) == ["symbol"]
    TagBook(user_id=1_234_567, symbol="1000000BABYDOGE/USDT", length_max=37).check(11)


def test_fewer_legs_make_shorter_tags() -> None:
    book = TagBook(user_id=1_234_567, symbol="1000000BABYDOGE/USDT")

    book.check(10)
    with pytest.raises(SettingsProblem, match="use fewer legs"):
        book.check(11)
