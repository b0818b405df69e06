"""Where prices come from: candle files, a made-up market, another exchange, or somebody's hand.

Each feed moves prices through the exchange it is given and reads nothing back but instruments.
"""
