"""Every venue that this server knows, by its name in the settings."""

from collections.abc import Mapping

from blitz.core.ladder_settings import ExchangeName
from blitz.exchange.bingx.profile import BINGX
from blitz.exchange.bybit.profile import BYBIT
from blitz.exchange.profile import VenueProfile

PROFILES: Mapping[ExchangeName, VenueProfile] = {ExchangeName.BYBIT: BYBIT, ExchangeName.BINGX: BINGX}
