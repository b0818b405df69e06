"""Ten million order ids: each is read back as what it was written for, by nobody else, and no two are equal.

An id is drawn for a user on a market: any place of a ladder, any generation. `TagBook` writes and reads it, the
checkers' own reader reads it too, and the books of neighbours (user numbers and symbols that a careless comparison
would mix up) must find it foreign. Ids are compared in lower case, as some venues fold them.

Collisions are looked for in bounded memory: each worker hashes an id to eight bytes and sorts the hashes into shards
by their first bits; at the end each shard is sorted and neighbours compared. Two different ids among ten million share
such a hash once in four hundred thousand runs. Called by `run.py simulate` and by the tests.
"""

import hashlib
import random
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, OrderKey, leg
from blitz.core.tags import GENERATION_MAX, TagBook
from blitz.errors import SettingsProblem
from blitz.simulation.tags import parsed

BASES = (
    "BTC", "ETH", "XRP", "SOL", "BNB", "ADA", "DOGE", "LTC", "OP", "ARB", "APT", "SUI", "SEI", "TON", "TRX", "W", "G",
    "T", "ZK", "IP", "S", "A", "LINK", "LINA", "PEPE", "PEOPLE", "SHIB1000", "1000PEPE", "1000PEPEX", "1000SHIB",
    "1000BONK", "1000FLOKI", "1000LUNC", "1000RATS", "1000SATS", "1000CAT", "1000CATS", "1000X", "1000XEC",
    "10000LADYS", "10000WHY", "10000QUBIC", "10000ELON", "1000000MOG", "1000000PEIPEI", "1000000CHEEMS",
    "1000000BABYDOGE", "1MBABYDOGE", "BROCCOLI", "MELANIA", "FARTCOIN", "VIRTUAL", "JELLYJELLY", "GRIFFAIN",
    "TRUMP", "TRUMPX", "BTCDOM", "USDC", "USDE", "USDT1", "XAUT", "MATIC", "MATICX", "ETHW", "ETHFI", "ETHBTC",
    "SOLAYER", "SOLO", "BTCST", "BTCUSD", "PUMPFUN", "PUMPBTC", "B3", "BB", "BAN", "BANANA", "BANANAS31",
    "1000NEIROCTO", "NEIROETH", "1000TURBO", "1000TOSHI", "1000BTT", "10000COQ", "10000WEN", "A8", "L3", "LEG", "TP",
    "SL", "SM", "1", "11", "1000", "LONGESTMEMECOINNAME", "LONGESTMEMECOINNAMEEVR",
)  # fmt: skip
"""Markets as venues really name them, the odd ones above all, and a few that look like pieces of an id."""
USER_MAX = 999_999_999
LEGS = 50
LENGTHS = (36, 40)
"""The longest id of each venue that a trader may be on."""
IDS_PER_PAIR = 500
"""So many ids are drawn for one user on one market."""
PAIRS_PER_CHUNK = 200
SHARDS = 64
VIOLATIONS_MAX = 20
USER_OFFSETS = (0, 10_000, 1_000_000, 100_000_000, 999_000_000)
"""Numbers of users are counted from here, so that there are short and long ones."""
Shards = list["array[int]"]
KEYS = (TAKE_PROFIT, STOP_LOSS, *(leg(index) for index in range(LEGS)))


@dataclass(slots=True)
class IdsFound:
    """What a flood of ids came to."""

    ids: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    pairs: int = 0
    """Users on a market."""
    foreign_reads: int = 0
    """How often a neighbour was asked whether an id is its own."""
    longest: Counter[int] = field(default_factory=Counter)
    """The longest id per limit."""
    shortened: int = 0
    """Ids whose symbol had to give way to its short code."""
    refused: int = 0
    """Pairs whose symbol leaves no room for a ladder of fifty legs: such settings are refused before a bot starts."""

    @property
    def per_second(self) -> int:
        """How fast it went."""
        return round(self.ids / self.seconds) if self.seconds else 0

    @property
    def line(self) -> str:
        """Everything in one line."""
        longest = ", ".join(f"{most} of {limit}" for limit, most in sorted(self.longest.items()))
        return (
            f"{self.ids} ids of {self.pairs} users on a market, {self.shortened} with a short code, longest {longest}; "
            f"{self.foreign_reads} foreign reads, {self.refused} symbols too long for all legs, {len(self.violations)} "
            f"violations, {self.per_second} ids/s, {self.seconds:.1f} s"
        )

    def wrong(self, what: str) -> None:
        """Note a finding."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(what)

    def join(self, other: "IdsFound") -> None:
        """Count what another worker found."""
        self.ids += other.ids
        self.pairs += other.pairs
        self.foreign_reads += other.foreign_reads
        self.shortened += other.shortened
        self.refused += other.refused
        for limit, most in other.longest.items():
            self.longest[limit] = max(self.longest[limit], most)
        for what in other.violations:
            self.wrong(what)


def pair_of(number: int) -> tuple[int, str, int]:
    """The user, the symbol and the longest id of pair `number`; no two numbers share a user on a market."""
    chance = random.Random(f"pair {number}")
    count = number // len(BASES) + 1
    assert count < USER_OFFSETS[1], "more pairs than this would share a user on a market"
    user = count + chance.choice(USER_OFFSETS)
    base = BASES[number % len(BASES)]
    # A market has one form per account: both are the same market to a bot.
    symbol = f"{base}/USDT:USDT" if chance.random() < 0.5 else f"{base}/USDT"
    return user, symbol, chance.choice(LENGTHS)


def neighbours(user: int, symbol: str, length_max: int) -> list[TagBook]:
    """Those who might take an id of this user on this market for theirs.

    A base whose own name ends in USDT is none of them: SOLUSDT/USDT would be written as SOL/USDT:USDT is, by the
    documented pattern itself. Venues list no such market, and a bot reads the orders of its own market only.
    """
    whole, _, settled = symbol.partition(":")
    base, _, quote = whole.partition("/")
    users = {user - 1, user + 1, user * 10, user * 10 + 1, user * 10 + user % 10, user // 10}
    bases = {f"1000{base}", f"1{base}", f"{base}X", f"{base}1", base[1:], base[:-1], f"LEG{base}"}
    tail = f":{settled}" if settled else ""
    books = [TagBook(user_id=one, symbol=symbol, length_max=length_max) for one in sorted(users) if 0 < one <= USER_MAX]
    books += [
        TagBook(user_id=user, symbol=f"{one}/{quote}{tail}", length_max=length_max) for one in sorted(bases) if one
    ]
    books.append(TagBook(user_id=user, symbol=f"{base}/USDC", length_max=length_max))
    return books


def drawn_ids(number: int, count: int) -> list[tuple[OrderKey, int]]:
    """Different places and generations: every place once as documented, the rest at random."""
    chance = random.Random(f"ids {number}")
    drawn: dict[tuple[OrderKey, int], None] = dict.fromkeys((key, 0) for key in KEYS)
    drawn |= dict.fromkeys((key, GENERATION_MAX) for key in KEYS[:5])
    while len(drawn) < count:
        most = chance.choice((9, 35, 36, 1_300, 46_656, GENERATION_MAX))
        drawn[chance.choice(KEYS), chance.randint(1, most)] = None
    return list(drawn)[:count]


def flood_chunk(numbers: Sequence[int], per_pair: int) -> tuple[IdsFound, Shards]:
    """Draw the ids of some pairs and judge each; their hashes come along, by shard."""
    found = IdsFound()
    shards: Shards = [array("Q") for _ in range(SHARDS)]
    for number in numbers:
        for client_id in _flood_pair(number, per_pair, found):
            digest = int.from_bytes(hashlib.blake2b(client_id.lower().encode(), digest_size=8).digest())
            shards[digest % SHARDS].append(digest)
    return found, shards


def _flood_pair(number: int, count: int, found: IdsFound) -> list[str]:
    """Judge the ids of one user on one market, and hand them back."""
    user, symbol, length_max = pair_of(number)
    tags = TagBook(user_id=user, symbol=symbol, length_max=length_max)
    found.pairs += 1
    legs = _legs_possible(tags)
    found.refused += legs < LEGS
    others = neighbours(user, symbol, length_max)
    code = symbol.replace("/", "").replace(":", "").lower()
    ids = []
    for place, (key, generation) in enumerate(drawn_ids(number, count)):
        if key.leg >= max(legs, 1) or not legs:
            continue
        client_id = tags.write(key, generation)
        ids.append(client_id)
        _judge(tags, client_id, key, generation, code, found)
        # Two neighbours each in turn: over a pair's ids every one of them is asked about many.
        for other in (others[place % len(others)], others[(place * 7 + 3) % len(others)]):
            found.foreign_reads += 1
            if other.read(client_id) is not None:
                found.wrong(f"user {other.user_id} on {other.symbol} takes {client_id} of {symbol} for its own")
    found.ids += len(ids)
    return ids


def _legs_possible(tags: TagBook) -> int:
    """How many legs this symbol's ids leave room for: a longer ladder is refused with the settings."""
    for legs in (LEGS, 10):
        try:
            tags.check(legs)
        except SettingsProblem:
            continue
        return legs
    return 0


def _judge(tags: TagBook, client_id: str, key: OrderKey, generation: int, code: str, found: IdsFound) -> None:
    """The id says what it was written for, to its owner in any case and to the checkers' reader, and is short."""
    found.longest[tags.length_max] = max(found.longest[tags.length_max], len(client_id))
    if len(client_id) > tags.length_max:
        found.wrong(f"{client_id} has {len(client_id)} characters, {tags.length_max} are taken")
    for written in (client_id, client_id.lower(), client_id.upper()):
        if tags.read(written) != (key, generation):
            found.wrong(f"{written} is read as {tags.read(written)}, written for {key} in generation {generation}")
    tag = parsed(client_id)
    if tag is None or (tag.role, tag.leg, tag.user_id, tag.generation) != (
        key.role, key.leg, tags.user_id, generation,
    ):  # fmt: skip
        found.wrong(f"{client_id} says {tag} to the checkers, written for {key} in generation {generation}")
    elif tag.symbol != code:
        found.shortened += 1


def collisions(shards: Iterable["array[int]"]) -> int:
    """How many ids are equal to another one."""
    equal = 0
    for shard in shards:
        ordered = sorted(shard)
        equal += sum(one == other for one, other in pairwise(ordered))
    return equal


def run_ids(count: int, *, workers: int | None = None) -> IdsFound:
    """Judge `count` ids on all cores, up to a chunk more or less where symbols are refused."""
    began = time.perf_counter()
    total = IdsFound()
    shards: Shards = [array("Q") for _ in range(SHARDS)]
    per_pair = min(IDS_PER_PAIR, max(count // len(BASES), len(KEYS) + 5))
    with ProcessPoolExecutor(max_workers=workers) as pool:
        number = 0
        while total.ids < count:
            lacking = -(-(count - total.ids) // per_pair)
            numbers = range(number, number + lacking)
            number += lacking
            chunks = [numbers[at : at + PAIRS_PER_CHUNK] for at in range(0, lacking, PAIRS_PER_CHUNK)]
            for found, hashes in pool.map(flood_chunk, chunks, [per_pair] * len(chunks)):
                total.join(found)
                for shard, more in zip(shards, hashes, strict=True):
                    shard.extend(more)
    equal = collisions(shards)
    if equal:
        total.wrong(f"{equal} ids are equal to another one")
    total.seconds = time.perf_counter() - began
    return total
