"""Links take turns to send, a few in each turn of the loop, and one that is alone waits for nobody."""

import asyncio

from blitz.paper.wire.streams.departures import LINKS_PER_TURN, Departures


def test_a_few_links_send_in_each_turn_of_the_loop_and_in_the_order_in_which_they_came():
    async def watched() -> list[list[int]]:
        departures = Departures()
        turns: list[list[int]] = [[]]
        links = [asyncio.create_task(link(departures, number, turns)) for number in range(5 * LINKS_PER_TURN)]
        while not all(task.done() for task in links):
            await asyncio.sleep(0)
            turns.append([])
        return [turn for turn in turns if turn]

    async def link(departures: Departures, number: int, turns: list[list[int]]) -> None:
        await departures.turn()
        turns[-1].append(number)

    turns = asyncio.run(watched())
    assert [len(turn) for turn in turns] == [LINKS_PER_TURN] * 5
    assert [number for turn in turns for number in turn] == list(range(5 * LINKS_PER_TURN))


def test_a_link_that_is_alone_sends_at_once_time_and_again():
    async def alone() -> bool:
        departures, others = Departures(), 0

        def somebody_else() -> None:
            nonlocal others
            others += 1

        for _ in range(3 * LINKS_PER_TURN):
            asyncio.get_running_loop().call_soon(somebody_else)
            before = others
            await departures.turn()
            assert others == before, "it has waited for a turn of the loop"
            await asyncio.sleep(0)
        return True

    assert asyncio.run(alone())


def test_a_link_that_closes_while_it_waits_takes_nobodys_place():
    async def crowded() -> list[int]:
        departures = Departures()
        sent: list[int] = []

        async def link(number: int) -> None:
            await departures.turn()
            sent.append(number)

        links = [asyncio.create_task(link(number)) for number in range(3 * LINKS_PER_TURN)]
        await asyncio.sleep(0)
        for task in links[LINKS_PER_TURN : 2 * LINKS_PER_TURN]:
            task.cancel()
        await asyncio.wait(links, timeout=5)
        return sent

    assert asyncio.run(crowded()) == [*range(LINKS_PER_TURN), *range(2 * LINKS_PER_TURN, 3 * LINKS_PER_TURN)]
