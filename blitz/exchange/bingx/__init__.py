"""BingX USDT perpetuals.

`profile` is what the rest of the program sees; `gateway` trades one account, with `fills` for what was traded and
`replacing` for orders that make room for another; `client` builds ccxt's class, `rows` reads what BingX sends, `codes`
knows what its refusals mean.
"""
