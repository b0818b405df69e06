"""Venues that this project knows and does not trade on: what their orders, modes, ids and codes look like.

**Experimental** means: each profile is written from the venue's documentation and from ccxt's source, and its requests
are checked without a network against what ccxt itself builds. No order of it was ever sent to the real venue, and it
has no gateway, so `ExchangeName` does not list it and no trader can choose it. docs/adding-a-venue.md says what is
missing before one trades.
"""
