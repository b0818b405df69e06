"""Is it up, is it ready, where is its database, how is it doing: questions of operators and their tools."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, make_response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from blitz import __version__
from blitz.bots.incidents import ProtectionFigures
from blitz.bots.venue_figures import VenueFigures
from blitz.clock import iso_utc
from blitz.errors import DatabaseProblem
from blitz.web.openapi import refusals
from blitz.web.schemas import DebugOut, HealthOut
from blitz.web.services import Services, services
from blitz.web.stream import StreamBudget

diagnostics = APIBlueprint("diagnostics", __name__, tag="Operations")


@diagnostics.get("/__debug/db")
@diagnostics.output(DebugOut)
@diagnostics.doc(responses=refusals(404))
def debug_db() -> dict[str, Any]:
    """Tell where the database is. Only for a program on this machine, or an administrator."""
    parts = services()
    path = parts.database.path
    return {
        "cwd": str(Path.cwd()),
        "instance_path": str(parts.settings.instance_path),
        "db_uri": parts.database.url,
        "db_path": str(path or ""),
        "db_exists": path is None or path.exists(),
        "timestamp": iso_utc(parts.clock.now_ms()),
    }


@diagnostics.get("/healthz")
@diagnostics.output(HealthOut)
@diagnostics.doc(responses=refusals())
def healthz() -> dict[str, Any]:
    """The process answers. Says `tls: missing` when other machines can reach it and nothing encrypts the way."""
    parts = services()
    exposed = parts.settings.is_public and not parts.settings.trusted_proxies
    return {"status": "ok", "tls": "missing" if exposed else "not needed"}


@diagnostics.get("/readyz")
@diagnostics.output(HealthOut)
@diagnostics.doc(responses=refusals(503))
def readyz() -> Response:
    """The server can do its work: the database answers and it is not shutting down."""
    word = health_word(services())
    return make_response(jsonify(status=word), 200 if word == "ready" else 503)


def health_word(parts: Services) -> str:
    """`ready`, or what keeps the server from its work."""
    if parts.closing.is_set():
        return "shutting_down"
    try:
        parts.users.count()
    except DatabaseProblem:
        return "database_unavailable"
    return "ready"


@diagnostics.get("/metrics")
@diagnostics.doc(hide=True)
def metrics() -> Response:
    """A few figures for Prometheus, without labels per user."""
    budget: StreamBudget = current_app.extensions["blitz_streams"]
    return Response(generate_latest(figures(services(), budget)), content_type=CONTENT_TYPE_LATEST)


def figures(parts: Services, budget: StreamBudget) -> CollectorRegistry:
    """Read the figures now; a registry of its own, so that two apps in one process do not mix."""
    registry = CollectorRegistry()
    bots = parts.manager.get_all_bot_statuses()
    Gauge("blitz_build_info", "Version of the server.", ["version"], registry=registry).labels(__version__).set(1)
    Gauge("blitz_users", "Accounts, disabled ones included.", registry=registry).set(parts.users.count())
    Gauge("blitz_bots_managed", "Bots the server knows about.", registry=registry).set(bots["totals"]["total_managed"])
    Gauge("blitz_bots_running", "Bots that run.", registry=registry).set(bots["totals"]["total_running"])
    told = parts.manager.bots_told()
    Gauge("blitz_streams_ready", "Bots that the exchange tells of whatever happens.", registry=registry).set(told)
    Gauge("blitz_event_streams", "Live views that are open.", registry=registry).set(budget.open_streams())
    by_status = Gauge("blitz_bots", "Bots by status.", ["status"], registry=registry)
    for one in bots["users"].values():
        by_status.labels(one["status"]).inc()
    registry.register(ProtectionCollector(parts.manager.protection_figures()))
    registry.register(VenueCollector(parts.desk.venue_figures(parts.clock.now_ms())))
    return registry


class ProtectionCollector(Collector):
    """The figures of protection. The counter lives in the manager: the registry is made anew for each reading."""

    def __init__(self, seen: ProtectionFigures) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Yield each figure once."""
        seen = self._seen
        gauges = {
            "blitz_positions_open": ("Positions that are, or may be, open.", seen.open),
            "blitz_positions_protected": ("Positions whose every exit rests.", seen.protected),
            "blitz_positions_unprotected": ("Positions that are not, or not certainly, protected.", seen.unprotected),
            "blitz_incidents_open": ("Positions unprotected for longer than the bound.", seen.incidents_open),
            "blitz_unprotected_seconds_max": (
                "The longest stretch without certain protection that goes on now.",
                seen.unprotected_seconds_max,
            ),
        }
        for name, (words, value) in gauges.items():
            yield GaugeMetricFamily(name, words, value=value)
        yield CounterMetricFamily("blitz_incidents", "Incidents since the process started.", value=seen.incidents_total)


class VenueCollector(Collector):
    """Requests, bans and clocks, with one label: the venue."""

    def __init__(self, seen: Sequence[VenueFigures]) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Yield each figure once, with a row per venue."""
        for name, words, value in VENUE_GAUGES:
            gauge = GaugeMetricFamily(name, words, labels=["venue"])
            for each in self._seen:
                figure = value(each)
                if figure is not None:
                    gauge.add_metric([each.venue], figure)
            yield gauge
        waiting = GaugeMetricFamily(
            "blitz_requests_waiting", "Requests that stand in line.", labels=["venue", "priority"]
        )
        for each in self._seen:
            for priority, count in each.waiting.items():
                waiting.add_metric([each.venue, priority], count)
        yield waiting
        for name, words, total in VENUE_COUNTERS:
            counter = CounterMetricFamily(name, words, labels=["venue"])
            for each in self._seen:
                counter.add_metric([each.venue], total(each))
            yield counter


VENUE_GAUGES: Sequence[tuple[str, str, Callable[[VenueFigures], float | None]]] = (
    ("blitz_requests_in_window", "Requests in the fullest window of the address.", lambda each: each.in_window),
    ("blitz_requests_window_limit", "What that window may hold.", lambda each: each.window_limit),
    ("blitz_requests_in_flight", "Requests under way.", lambda each: each.in_flight),
    ("blitz_exchange_ban_seconds", "How long the exchange still keeps us out.", lambda each: each.banned_seconds),
    ("blitz_users_shut_out", "Users kept out of an endpoint.", lambda each: each.users_shut_out),
    ("blitz_clock_offset_seconds", "The exchange's clock against ours.", lambda each: each.clock_offset_seconds),
    ("blitz_clock_unsure_seconds", "How far off that may be.", lambda each: each.clock_unsure_seconds),
)
VENUE_COUNTERS: Sequence[tuple[str, str, Callable[[VenueFigures], int]]] = (
    ("blitz_requests", "Requests sent.", lambda each: each.requests_total),
    ("blitz_requests_not_sent", "Requests whose turn did not come in time.", lambda each: each.not_sent_total),
    ("blitz_exchange_bans", "Times the exchange has shut out this address.", lambda each: each.bans_total),
)
