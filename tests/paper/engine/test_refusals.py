"""What the venue says no to, with which code, and that a refusal changes nothing."""

from decimal import Decimal

import pytest

from blitz.paper.engine import IdRegime, OrderRequest, OrderStatus, OrderType, Side, TriggerDirection

RISE, FALL = TriggerDirection.RISE, TriggerDirection.FALL

REFUSED = [
    # quantity, price, options, code
    ("0.0005", None, {}, 10001),  # off the step
    ("0.0015", "59000", {}, 10001),  # off the step
    ("0", None, {}, 10001),  # nothing
    ("-1", None, {}, 10001),
    ("NaN", None, {}, 10001),
    ("1e308", None, {}, 10001),
    ("119.001", None, {}, 10001),  # above the largest market order
    ("1190.001", "59000", {}, 10001),  # above the largest order
    ("0.1", "59000.05", {}, 10001),  # off the tick
    ("0.1", "NaN", {}, 10001),
    ("0.1", "-5", {}, 10001),
    ("0.1", "1999999.9", {}, 110003),  # above the highest price
    ("0.1", "1e308", {}, 110003),
    ("0.001", "4000", {}, 110094),  # worth 4 USDT
    ("0.1", None, {"position_idx": 1}, 10001),  # hedge index in one-way mode
    ("0.1", None, {"symbol": "NOPEUSDT"}, 10001),
    ("0.1", None, {"reduce_only": True}, 110017),  # nothing to reduce
    ("0.1", None, {"link_id": "x" * 37}, 10001),
    ("0.1", None, {"link_id": "no spaces"}, 10001),
    ("0.1", None, {"link_id": "grün"}, 10001),
    ("100", None, {}, 110007),  # 600,000 of margin
    ("0.1", None, {"trigger_price": "60000", "trigger_direction": RISE}, 110092),
    ("0.1", None, {"trigger_price": "60000", "trigger_direction": FALL}, 110093),
    ("0.1", None, {"trigger_price": "61000"}, 10001),  # no direction
    ("0.1", None, {"trigger_price": "61000.03", "trigger_direction": RISE}, 10001),  # off the tick
    ("0.1", None, {"take_profit": "59000"}, 10001),  # below a long's entry
    ("0.1", "59000", {"stop_loss": "59500"}, 10001),  # above a long's entry
    ("0.1", None, {"trigger_price": "61000", "trigger_direction": RISE, "stop_loss": "50000"}, 110057),
]


@pytest.mark.parametrize(("quantity", "price", "options", "code"), REFUSED)
def test_an_order_that_breaks_a_rule_is_refused_and_changes_nothing(hand, quantity, price, options, code):
    before = hand.venue.snapshot()

    assert hand.code(lambda: hand.buy(quantity, price, **options)) == code
    assert hand.venue.snapshot() == before


def test_a_limit_order_without_a_price_is_refused(hand):
    request = OrderRequest(symbol="BTCUSDT", side=Side.BUY, order_type=OrderType.LIMIT, quantity=Decimal(1))
    assert hand.code(lambda: hand.venue.place_order(hand.account, request, 0)) == 10001


@pytest.mark.parametrize(
    ("regime", "while_open", "after_cancel"),
    [(IdRegime.NEVER, 110072, 110072), (IdRegime.REUSABLE, 110072, None), (IdRegime.UNENFORCED, None, None)],
)
def test_a_client_id_is_taken_as_long_as_the_regime_says(hand, regime, while_open, after_cancel):
    hand.venue.id_regime = regime
    first = hand.buy("0.1", "59000", link_id="sm_leg_1")

    def again():
        return hand.buy("0.1", "58000", link_id="sm_leg_1")

    if while_open:
        assert hand.code(again) == while_open
    else:
        assert again().status is OrderStatus.NEW
    hand.cancel(first)
    if after_cancel:
        assert hand.code(again) == after_cancel
    else:
        assert again().link_id == "sm_leg_1"


def test_a_refused_order_does_not_use_up_its_client_id(hand):
    assert hand.code(lambda: hand.buy("100", link_id="mine")) == 110007
    assert hand.buy("0.1", link_id="mine").status is OrderStatus.FILLED


def test_two_accounts_may_use_the_same_client_id(hand, other):
    hand.buy("0.1", link_id="mine")
    assert other.buy("0.1", link_id="mine").status is OrderStatus.FILLED


def test_the_eleventh_conditional_order_of_a_symbol_is_refused(hand):
    for step in range(10):
        hand.buy("0.1", trigger_price=str(61_000 + step), trigger_direction=RISE)

    assert hand.code(lambda: hand.buy("0.1", trigger_price="62000", trigger_direction=RISE)) == 110009
    assert hand.buy("0.1", symbol="ETHUSDT", trigger_price="4000", trigger_direction=RISE).is_conditional


def test_the_five_hundred_and_first_active_order_of_a_symbol_is_refused(hand):
    for _ in range(500):
        hand.buy("0.001", "59000")

    assert hand.code(lambda: hand.buy("0.001", "59000")) == 110020


def test_an_account_opens_once_and_another_secret_is_refused(venue):
    account = venue.open_account("key", "secret", Decimal(100))

    assert venue.open_account("key", "secret", Decimal(999)) is account
    assert account.deposited == Decimal(100)
    with pytest.raises(Exception, match="another secret"):
        venue.open_account("key", "wrong", Decimal(100))


def test_the_secret_does_not_show_in_the_accounts_text(hand):
    assert "secret=" not in repr(hand.account)
