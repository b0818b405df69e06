"""Why the venue says no: `VenueRefusal` and the return codes it carries.

Every rule of the engine raises from here. The numbers and the meaning of each are Bybit's published V5 error codes, and
BingX's for what only BingX refuses; the wire of each exchange turns them into its own. Nothing here decides anything.
"""

PARAMETER_ERROR = 10001
ORDER_NOT_FOUND = 110001
PRICE_OUT_OF_RANGE = 110003
INSUFFICIENT_BALANCE = 110007
INSUFFICIENT_FOR_LEVERAGE = 110012
TOO_MANY_CONDITIONAL_ORDERS = 110009
LEVERAGE_ABOVE_LIMIT = 110013
REDUCE_ONLY_IMPOSSIBLE = 110017
TOO_MANY_ACTIVE_ORDERS = 110020
MODE_SWITCH_WITH_POSITION = 110024
MODE_UNCHANGED = 110025
MARGIN_MODE_UNCHANGED = 110026
MODE_SWITCH_WITH_ORDERS = 110028
LEVERAGE_UNCHANGED = 110043
TAKE_PROFIT_ON_CONDITIONAL = 110057
TOO_MANY_PARTIAL_STOPS = 110061
AMENDED_BELOW_FILLED = 110064
DUPLICATE_LINK_ID = 110072
TRIGGER_NOT_ABOVE_PRICE = 110092
TRIGGER_NOT_BELOW_PRICE = 110093
ABOVE_RISK_LIMIT = 110090
BELOW_MINIMUM_VALUE = 110094
STOP_UNCHANGED = 34040
UNKNOWN_KEY = 10003
NO_POSITION_TO_CLOSE = 101205
POST_ONLY_WOULD_TAKE = 101215
BELOW_MINIMUM_QUANTITY = 101400
REDUCE_ONLY_IN_HEDGE = 109400
ABOVE_AVAILABLE = 110424
MARGIN_MODE_REFUSED = 3400045


class VenueRefusal(Exception):
    """A definite no. Nothing changed at the venue. `code` is the retCode, `message` the retMsg."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class SnapshotProblem(ValueError):
    """A stored state cannot be read back: wrong version, unknown symbol or a damaged row."""
