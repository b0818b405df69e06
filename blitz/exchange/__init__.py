"""The outside world behind one door. The only package that imports ccxt.

`gateway` is what a bot talks to, one per user; `bybit` holds everything that is Bybit's own way of doing things;
`markets` keeps one market table per venue for everybody.
"""
