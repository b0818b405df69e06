from decimal import Decimal

import pytest

from blitz.web.json_text import DEPTH_MAX, JsonProblem, read_json


def test_every_digit_of_a_number_is_kept():
    assert read_json('{"a": 0.10000000000000000555, "b": 7}') == {"a": Decimal("0.10000000000000000555"), "b": 7}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": Infinity}', "Infinity is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1, "a": 2}', '"a" is given twice'),
        ('{"a": ' + "9" * 41 + "}", "more than 40 characters"),
        ('{"a": 0.' + "9" * 41 + "}", "more than 40 characters"),
        ('{"a": 1e99999999999999999999}', "not a number that can be used"),
        ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "levels deep"),
        ("[" * 60_000, "levels deep"),
        ('{"a": "\\ud800"}', "cannot be stored"),
        ('["\\u0000"]', "cannot be stored"),
        ('{"\\u0000": 1}', "cannot be stored"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_other_readers_would_guess_about_is_refused_with_a_sentence(text, said):
    with pytest.raises(JsonProblem) as caught:
        read_json(text)

    assert said in str(caught.value)


def test_brackets_inside_texts_are_not_nesting():
    assert read_json('["' + "[" * 100 + '\\"["]') == ["[" * 100 + '"[']
