"""The strategy and the order protocol: pure, Decimal, without I/O, threads, clock or chance.

A bot's pass is a generator that yields calls and receives replies, so that a thread can drive it against the world
and a simulator can drive the very same code against a seeded one.
"""
