"""The commands: what `python3 run.py …` understands.

Each command reads its options, loads what it needs and calls one function elsewhere. Imports of the parts
stay inside the commands, so that `--help` answers at once. Expected failures end as one sentence on stderr.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blitz import __version__
from blitz.errors import BlitzError

if TYPE_CHECKING:
    from blitz.settings import Settings
    from blitz.storage.users import User, UserStore

FAILED = 1
INTERRUPTED = 130
PAPER_PORT = 8100
READABLE_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 misused, 130 interrupted."""
    try:
        return int(commands.main(args=arguments, prog_name="run.py", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BlitzError as error:
        return complain(error)
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def complain(error: BlitzError) -> int:
    """Tell an expected failure in one line, without the secrets that a library may have put into it."""
    from blitz.redaction import redact

    click.echo(redact(" ".join(str(error).split())), err=True)
    return FAILED


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Blitz")
@click.pass_context
def commands(context: click.Context) -> Any:
    """Blitz runs one laddered trading bot per trader. Without a command it serves."""
    return context.invoke(serve) if context.invoked_subcommand is None else None


@commands.command()
def serve() -> int:
    """Serve the pages, run the bots and the paper exchange."""
    from blitz.allocator import without_thread_caches

    without_thread_caches()
    settings = server_settings()
    from blitz.server import serve as serve_until_stopped

    return serve_until_stopped(settings)


@commands.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def test(words: tuple[str, ...]) -> int:
    """Run the test suite; further words go to pytest."""
    import pytest

    from blitz.settings import PROJECT_ROOT

    os.chdir(PROJECT_ROOT)
    return int(pytest.main(list(words)))


@commands.command()
@click.option("--candles", type=READABLE_FILE, help="CSV with timestamp,open,high,low,close,volume.")
@click.option("--settings", "settings_file", type=READABLE_FILE, help="JSON with the settings of the ladder.")
@click.option("--speed", default=None, metavar="N|max", help="Market seconds per second.")
@click.option("--cycles", type=click.IntRange(min=1), help="End after this many cycles.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the made-up market.  [1; with --serve 2]")
@click.option("--serve", is_flag=True, help="Leave a lively server running, for showing around.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="With --serve: keep everything there, and go on with it next time.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), help="With --serve: of the pages; 0 any free one.  [WEB_PORT]")
@click.option("--days", type=click.IntRange(1, 30), help="With --serve: how much past is traded first.  [4]")
@click.pass_context
def demo(
    context: click.Context, candles: Path | None, settings_file: Path | None, speed: str | None, cycles: int | None,
    as_json: bool, seed: int | None, serve: bool, home: Path | None, port: int | None, days: int | None,
) -> int:  # fmt: skip
    """Let one bot trade on the paper exchange and compare the books."""
    refuse_together(context, serve)
    configure_console("ERROR" if serve else "WARNING")
    from blitz.demo import DemoOptions, LivelyOptions, run_demo, run_lively

    chosen = {} if seed is None else {"seed": seed}
    if serve:
        return run_lively(LivelyOptions(home=home, port=pages_port(port), days=days, speed=speed, **chosen))
    return run_demo(
        DemoOptions(candles=candles, settings=settings_file, speed=speed, cycles=cycles, json=as_json, **chosen)
    )


def refuse_together(context: click.Context, serves: bool) -> None:
    """End a demo whose options belong to its other form."""
    others = ("candles", "settings_file", "cycles", "as_json") if serves else ("home", "port", "days")
    usual = (context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT for name in others)
    given = {name for name, is_usual in zip(others, usual, strict=True) if not is_usual}
    if given:
        names = ", ".join(option.opts[0] for option in context.command.params if option.name in given)
        raise click.UsageError(f"{names} cannot be used with --serve." if serves else f"{names} needs --serve.")


def pages_port(given: int | None) -> int:
    """The port that was asked for, or else the one this installation serves on."""
    from blitz.settings import load_settings

    return load_settings().web_port if given is None else given


@commands.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PAPER_PORT, show_default=True, help="0: any free one.")
@click.option("--account", "accounts", multiple=True, metavar="KEY:SECRET:BALANCE[:EXCHANGE]",
              help="May be given repeatedly.")  # fmt: skip
@click.option("--feed", default="synthetic", show_default=True, metavar="FEED",
              help="synthetic[:SEED], candles:FILE, manual or live:EXCHANGE.")  # fmt: skip
@click.option("--speed", default="1", show_default=True, metavar="N|max", help="Market seconds per second.")
@click.option("--symbol", default="BTCUSDT", show_default=True, help="The market a candle file moves.")
@click.option("--ids", type=click.Choice(["never", "reusable", "unenforced"]), default="never", show_default=True,
              help="When an order id may be used again.")  # fmt: skip
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="File that survives a restart.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of ids and the made-up market.")
@click.option("--no-limits", is_flag=True, help="Switch the rate limits off.")
@click.option("--tls", "tls_certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="PEM",
              help="Speak HTTPS and wss with this certificate and key.")  # fmt: skip
def paper(
    port: int, accounts: tuple[str, ...], feed: str, speed: str, symbol: str, ids: str, state: Path | None, seed: int,
    no_limits: bool, tls_certificate: Path | None,
) -> int:  # fmt: skip
    """Run the paper exchange alone, for other programs."""
    configure_console("INFO")
    from blitz.paper.config import AccountSpec, PaperConfig, PaperStartError
    from blitz.paper.server import run_paper

    try:
        config = PaperConfig(
            port=port, accounts=tuple(map(AccountSpec.parse, accounts)), feed=feed, speed=speed, symbol=symbol,
            id_regime=ids, state_path=state.resolve() if state else None, seed=seed, enforce_limits=not no_limits,
            tls_certificate=tls_certificate,
        )  # fmt: skip
        return run_paper(config)
    except PaperStartError as error:
        raise click.ClickException(str(error)) from error


@commands.group()
def bench() -> None:
    """Measure speed, memory and requests."""


@bench.command()
@click.option("--bots", type=click.IntRange(1, 5_000), default=100, show_default=True, help="How many bots run.")
@click.option("--exchange", type=click.Choice(["bybit", "bingx"]), default="bybit", show_default=True,
              help="Whose API they speak.")  # fmt: skip
@click.option("--fills-per-second", type=click.IntRange(1, 500), default=50, show_default=True,
              help="In the steady part.")  # fmt: skip
@click.option("--idle-seconds", type=click.IntRange(1, 3_600), default=30, show_default=True,
              help="For how long the requests of idle bots are counted.")  # fmt: skip
@click.option("--variant", "variants", type=click.Choice(["plain", "tls", "limits"]), multiple=True,
              help="May be given repeatedly. Default: each of them.")  # fmt: skip
@click.option("--no-yardstick", is_flag=True, help="Leave out the bots that look every ten seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def reaction(
    bots: int,
    exchange: str,
    fills_per_second: int,
    idle_seconds: int,
    variants: tuple[str, ...],
    no_yardstick: bool,
    as_json: bool,
) -> int:
    """Time the way from a fill to the new take-profit, weigh a bot, count what it asks while nothing happens."""
    configure_console("WARNING")
    from blitz.bench import ReactionOptions, run_reaction

    return run_reaction(
        ReactionOptions(
            exchange=exchange,
            bots=bots,
            fills_per_second=fills_per_second,
            idle_seconds=idle_seconds,
            variants=variants or ("plain", "tls", "limits"),
            yardstick=not no_yardstick,
            as_json=as_json,
        )
    )


@bench.command("page")
@click.option("--bots", type=click.IntRange(1, 5_000), default=100, show_default=True, help="How many bots run.")
@click.option(
    "--samples", type=click.IntRange(1, 49), default=40, show_default=True, help="How many fills are watched."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def bench_page(bots: int, samples: int, as_json: bool) -> int:
    """Time in a real browser how soon a fill shows, how soon a page can be used, how smoothly the chart moves."""
    configure_console("WARNING")
    from blitz.bench import PageOptions, run_page

    return run_page(PageOptions(bots=bots, samples=samples, as_json=as_json))


@commands.command()
@click.option("--seeds", type=click.IntRange(min=1), default=200, show_default=True, help="How many seeds to run.")
@click.option("--from", "first", type=click.IntRange(min=0), default=0, show_default=True, help="The first of them.")
@click.option("--seed", type=click.IntRange(min=0), help="Run this one alone.")
@click.option("--trace", is_flag=True, help="With --seed: tell its whole story.")
@click.option("--faults", metavar="NAME,…", help="Let only these faults strike.")
@click.option(
    "--ids", type=click.Choice(["never", "reusable", "unenforced"]), help="One id regime instead of all three."
)
@click.option("--exchange", type=click.Choice(["bybit", "bingx"]), help="One exchange's rules instead of both.")
@click.option("--guards", is_flag=True, help="Prove that each safety guard is needed.")
@click.option("--policies", is_flag=True, help="Compare the order-id policies that bots use.")
@click.option("--cycles", type=click.IntRange(min=1), help="Let one bot live through so many cycles, in four courses.")
@click.option("--id-flood", type=click.IntRange(min=1), help="Write and read back so many order ids.")
@click.option("--books", type=click.IntRange(min=1), help="Compare the books of so many cycles with the venue's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def simulate(
    seeds: int, first: int, seed: int | None, trace: bool, faults: str | None, ids: str | None, exchange: str | None,
    guards: bool, policies: bool, cycles: int | None, id_flood: int | None, books: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Run the bots against a venue that lies, a disk that fails and a process that dies, thousands of times."""
    configure_console("CRITICAL")
    from blitz.simulation.command import SimulateOptions, run_simulation

    return run_simulation(
        SimulateOptions(
            seeds=seeds, first=first, seed=seed, trace=trace, faults=faults, ids=ids, exchange=exchange, guards=guards,
            policies=policies, cycles=cycles, id_flood=id_flood, books=books, as_json=as_json,
        )
    )  # fmt: skip


@commands.command()
@click.option("--rounds", type=click.IntRange(1, 100_000), default=30, show_default=True, help="Blows to deal.")
@click.option("--bots", type=click.IntRange(1, 50), default=5, show_default=True, help="Traders, one bot each.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of every choice.")
@click.option("--exchange", type=click.Choice(["bybit", "bingx", "both"]), default="both", show_default=True,
              help="Where the bots trade.")  # fmt: skip
@click.option("--ids", type=click.Choice(["never", "reusable", "unenforced", "turns"]), default="turns",
              show_default=True, help="When the exchange lets an order id be used again.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--keep", is_flag=True, help="Keep databases and logs even when all went well.")
def torture(rounds: int, bots: int, seed: int, exchange: str, ids: str, as_json: bool, keep: bool) -> int:
    """Kill, stop and deploy a server in the middle of trading, and check what is left."""
    configure_console("WARNING")
    from blitz.torture import TortureOptions, run_torture

    options = TortureOptions(
        rounds=rounds, bots=bots, seed=seed, exchange=exchange, ids=ids, json=as_json, keep=keep
    )  # fmt: skip
    return run_torture(options)


@commands.group()
def user() -> None:
    """Make and change accounts."""


def password_option(command: Callable[..., int]) -> Callable[..., int]:
    """Passwords come from a prompt or from standard input, never from the command line, which others can see."""
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")(command)


@user.command("add")
@click.argument("email")
@click.option("--admin", is_flag=True, help="May see and steer every trader's bot.")
@password_option
def user_add(email: str, admin: bool, password_stdin: bool) -> int:
    """Add an account for EMAIL."""
    with opened_users() as users:
        added = users.create(email, read_password(password_stdin), role="admin" if admin else "trader")
    click.echo(f"Added {added.role} {added.email} (number {added.id}).")
    return 0


@user.command("list")
def user_list() -> int:
    """List the accounts."""
    with opened_users() as users:
        everybody = users.all()
    show_users(everybody)
    return 0


@user.command("set-password")
@click.argument("email")
@password_option
def user_set_password(email: str, password_stdin: bool) -> int:
    """Give EMAIL a new password and sign it out everywhere."""
    with opened_users() as users:
        found = existing_user(users, email)
        users.set_password(found.id, read_password(password_stdin))
    click.echo(f"{found.email} has a new password and is signed out everywhere.")
    return 0


@user.command("make-admin")
@click.argument("email")
def user_make_admin(email: str) -> int:
    """Make EMAIL an admin."""
    with opened_users() as users:
        found = existing_user(users, email)
        users.make_admin(found.id)
    click.echo(f"{found.email} is an admin now and has to sign in again.")
    return 0


@commands.command()
def doctor() -> int:
    """Check the installation and say what to do."""
    from blitz.doctor import run_doctor
    from blitz.settings import load_settings

    configure_console("ERROR")
    return run_doctor(load_settings())


@commands.command()
def openapi() -> int:
    """Print the description of the HTTP API as JSON."""
    import json

    configure_console("WARNING")
    from blitz.app import create_app

    app = create_app()
    with app.app_context():
        click.echo(json.dumps(app.spec, indent=2, sort_keys=True))
    return 0


def server_settings() -> "Settings":
    """Load the settings, start logging to the console and the file, and say what looks unintended."""
    import structlog

    from blitz.logs import configure_logging, register_secret
    from blitz.settings import load_settings, settings_warnings

    settings = load_settings()
    for secret in (settings.secret_key, settings.database_password):
        register_secret(secret.get_secret_value() if secret else None)
    configure_logging(settings.log_level, settings.log_path)
    for warning in settings_warnings(settings):
        structlog.get_logger(__name__).warning(warning)
    return settings


def configure_console(level: str) -> None:
    """Log to the console alone, for commands that answer in print; `LOG_LEVEL` set in the environment wins."""
    from blitz.logs import configure_logging

    chosen = os.environ.get("LOG_LEVEL", "").strip().upper()
    configure_logging(chosen if chosen in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else level)


@contextmanager
def opened_users() -> "Iterator[UserStore]":
    """Open the database, brought up to date, for as long as a command needs it."""
    from blitz.clock import SystemClock
    from blitz.logs import register_secret
    from blitz.settings import load_settings
    from blitz.storage.database import Database
    from blitz.storage.secrets import SecretBox, load_or_create_key
    from blitz.storage.users import UserStore

    configure_console("WARNING")
    settings = load_settings()
    database = Database.open(settings.database)
    try:
        database.migrate()
        key = load_or_create_key(settings.key_path, settings.secret_key)
        yield UserStore(database, SecretBox(key, on_open=register_secret), SystemClock())
    finally:
        database.close()


def existing_user(users: "UserStore", email: str) -> "User":
    """Find an account by its address, or end the command with a sentence."""
    found = users.by_email(email)
    if found is None:
        raise click.ClickException(f"There is no account for {email}; `run.py user list` shows them all.")
    return found


def read_password(from_stdin: bool) -> str:
    """Read a new password: one line of standard input, or twice at a prompt that does not show it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask at; give the password with --password-stdin.")
    password: str = click.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True)
    return password


def show_users(everybody: "Sequence[User]") -> None:
    """Print the accounts: a table for a person, tab-separated lines for a program."""
    rows = [
        (str(each.id), each.email, each.role, "yes" if each.active else "no", each.settings.mode, each.key_hint or "-")
        for each in everybody
    ]
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("number", "email", "role", "active", "mode", "API key")
    for row in rows:
        table.add_row(*row)
    Console().print(table if rows else "There are no accounts yet: `run.py user add EMAIL --admin` makes the first.")
