"""The outside world behind one door. The only package that imports ccxt.

`gateway` is what a bot talks to, one per user. Everything that is one venue's own way of doing things lives in that
venue's package (`bybit`), and `profiles` lists them: adding a venue is adding a package (docs/adding-a-venue.md); those
that cannot be traded yet lie in `experimental`. What all venues share lies beside them: `door` lets every request out,
`answers` decides what an answer is worth, `rows` reads its fields, `markets` keeps one market table per venue for
everybody.
"""
