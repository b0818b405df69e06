"""How fast the admin console answers on a full server: users and bots by the thousand, one real request after another.

Run `python tools/console_bench.py --users 5000 --running 1000 --cycles 20` in an environment with the development
packages. Times are those of the application itself, in one thread; a web server and a network come on top. On a machine
with other work to do, what the processor was busy tells more than the clock on the wall.
`--serve` then shows that server on a port, and prints its address and the administrator's password.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
from flask.testing import FlaskClient  # noqa: E402

from tests.web.conftest import PASSWORD, World, build_world, take_down  # noqa: E402
from tests.web.crowd import insert_people, seat  # noqa: E402

ROUNDS = 20


def main() -> None:
    """Build the crowd, ask, print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--users", type=int, default=5_000)
    asked.add_argument("--running", type=int, default=1_000)
    asked.add_argument("--cycles", type=int, default=20, help="closed cycles of each user")
    asked.add_argument("--serve", action="store_true", help="stay, for a browser")
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="blitz-crowd-") as folder:
        world = build_world(Path(folder))
        try:
            ids = insert_people(world.parts.database, chosen.users, cycles_each=chosen.cycles)
            for place, user_id in enumerate(ids[: chosen.running]):
                seat(world.manager, user_id, place)
            measure(world.signed_in(world.admin), ids)
            if chosen.serve:
                serve(world)
        finally:
            world.manager.managed_bots.clear()
            take_down(world)


def measure(admin: FlaskClient, ids: list[int]) -> None:
    """Print the median and the slowest of each request."""
    shown = ",".join(map(str, ids[:50]))
    report("first page ever, books not added up", admin, "/admin/console", 1)
    settle(admin)
    for words, path in (
        ("page of 50", "/admin/console"),
        ("list of 50", "/admin/users"),
        ("poll of 50 rows", f"/admin/users/live?ids={shown}"),
        ("search by address", "/admin/users?q=trader04"),
        ("filter: unprotected", "/admin/users?status=unprotected"),
        ("sorted by profit, page 50", "/admin/users?sort=profit&order=desc&page=50"),
        ("everybody's numbers", "/admin/users/ids"),
        ("exchanges and server", "/admin/server"),
        ("documented overview", "/admin/simple/status"),
    ):
        report(words, admin, path, ROUNDS)


def settle(admin: FlaskClient) -> None:
    """Ask until every book is added up, and say how many polls that took."""
    polls, slowest = 0, 0.0
    while True:
        began = time.perf_counter()
        answer = admin.get("/admin/users/live?ids=").json
        slowest, polls = max(slowest, time.perf_counter() - began), polls + 1
        if answer is not None and answer["totals"]["profit"]["complete"]:
            break
    click.echo(f"{'books added up after':<38} {polls:7d} polls, slowest {slowest * 1000:7.1f} ms")


def report(words: str, admin: FlaskClient, path: str, rounds: int) -> None:
    """Ask so often, and print how long the processor and the clock took: the median, and the clock's worst."""
    busy, whole = [], []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.thread_time()
        answer = admin.get(path)
        busy.append((time.thread_time() - worked) * 1000)
        whole.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.get_data(as_text=True)
    figures = (
        f"{statistics.median(busy):7.1f} ms busy, {statistics.median(whole):7.1f} ms, slowest {max(whole):7.1f} ms"
    )
    click.echo(f"{words:<38} {figures}")


def serve(world: World) -> None:
    """Show the server to a browser until it is interrupted."""
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), world.app, numthreads=10)
    server.prepare()
    click.echo(f"http://127.0.0.1:{server.bind_addr[1]}/login  {world.admin.email}  {PASSWORD}")
    try:
        server.serve()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
