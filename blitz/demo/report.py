"""What a demo prints: a report for people, or one JSON object for programs."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.records import BotEvent
from blitz.demo.books import Books
from blitz.demo.options import DemoOptions

ENDS = {"take_profit": "take-profit", "stop_loss": "stop-loss", "liquidated": "LIQUIDATED"}


class Report(Protocol):
    """Told what happens, in order."""

    def opening(self, settings: LadderSettings, preview: dict[str, Any]) -> None:
        """The ladder that is about to trade."""

    def cycle_closed(self, event: BotEvent) -> None:
        """A cycle closed."""

    def closing(self, books: Books) -> None:
        """The market has ended."""


class JsonReport:
    """Silent until the end, then one object. Money is written as JSON numbers with every digit."""

    def opening(self, settings: LadderSettings, preview: dict[str, Any]) -> None:
        """Programs know what they asked for."""

    def cycle_closed(self, event: BotEvent) -> None:
        """Counted at the end."""

    def closing(self, books: Books) -> None:
        """Print the object."""
        figures = {
            "candles": str(books.candles),
            "cycles": str(books.cycles),
            "stopped": str(books.stopped),
            "ladder_fills": str(books.ladder_fills),
            "realised": plain(books.realised),
            "fees": plain(books.fees),
            "funding": plain(books.funding),
            "exchange_realised": plain(books.exchange_realised),
            "exchange_fees": plain(books.exchange_fees),
            "exchange_funding": plain(books.exchange_funding),
            "difference": plain(books.difference),
            "seconds": f"{books.seconds:.1f}",
        }
        sys.stdout.write("{" + ", ".join(f'"{name}": {figure}' for name, figure in figures.items()) + "}\n")


class PersonReport:
    """A readable run: the ladder, each cycle as it closes, and the books side by side."""

    def __init__(self, options: DemoOptions) -> None:
        self._console = Console(highlight=False)
        self._options = options
        self._total = Decimal(0)

    def opening(self, settings: LadderSettings, preview: dict[str, Any]) -> None:
        """Show what will be traded and how."""
        market = self._options.candles.name if self._options.candles else f"a made-up market, seed {self._options.seed}"
        self._console.print(
            f"[bold]Blitz demo[/bold] · paper money · {settings.symbol} {settings.side.value} · {market}"
        )
        targets = [f"leverage {plain(settings.leverage)}", f"take-profit {plain(settings.take_profit)} % ROE"]
        if settings.stop_loss:
            targets.append(f"stop-loss {plain(settings.stop_loss)} % ROE")
        self._console.print("One bot, the real server, the paper exchange over HTTP. " + ", ".join(targets) + ".\n")
        table = Table("leg", "price", "quantity", "margin USDT", "average", "take-profit", title="The ladder it rests")
        for row in preview["legs"]:
            average = plain(Decimal(row["average"]).quantize(Decimal("0.01")))
            table.add_row(
                str(row["leg"]), row["price"], row["quantity"], row["margin"], average, row["take_profit"] or "off"
            )
        self._console.print(table)
        self._console.print("\n cycle  closed (UTC)      ended by      legs     profit USDT   in all")

    def cycle_closed(self, event: BotEvent) -> None:
        """One line."""
        profit = Decimal(event.data["profit"])
        self._total += profit
        closed = datetime.fromtimestamp(event.at_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")
        colour = "green" if profit >= 0 else "red"
        end = ENDS.get(event.data["end"], event.data["end"].replace("_", " "))
        self._console.print(
            f"{event.cycle:>6}  {closed}  {end:<12} {event.data['legs']:>5}  [{colour}]{profit:>+14.4f}[/{colour}]"
            f"{self._total:>+14.4f}"
        )

    def closing(self, books: Books) -> None:
        """Put our books beside the exchange's."""
        table = Table("", "our books", "exchange's books", title="\nBooks, in USDT")
        for name, ours, theirs in (
            ("realised profit", books.realised, books.exchange_realised),
            ("fees paid", books.fees, books.exchange_fees),
            ("funding paid", books.funding, books.exchange_funding),
        ):
            table.add_row(name, plain(ours), plain(theirs))
        net, their_net = books.realised - books.fees - books.funding, _their_net(books)
        table.add_row("[bold]left over[/bold]", f"[bold]{plain(net)}[/bold]", f"[bold]{plain(their_net)}[/bold]")
        self._console.print(table)
        self._console.print(
            f"{books.candles} minutes of market in {books.seconds:.1f} s: {books.cycles} cycles closed, "
            f"{books.ladder_fills} ladder legs filled, {books.stopped} stopped out."
        )
        if books.position:
            self._console.print(f"Still open: {books.position}; its fees and funding so far are in the books.")
        if books.difference == 0:
            self._console.print("[green]Our books equal the exchange's to the last digit.[/green]")
        else:
            self._console.print(f"[red]Our books differ from the exchange's by {plain(books.difference)} USDT.[/red]")


def _their_net(books: Books) -> Decimal:
    return books.exchange_realised - books.exchange_fees - books.exchange_funding
