"""Bybit V5 USDT perpetuals.

`profile` is what the rest of the program sees; `gateway` trades one account, `client` builds ccxt's class, `rows` reads
what Bybit sends, `codes` knows what its refusals mean.
"""
