"""One round: faults, trading, a blow to a process at a random moment, the return, and a look at what is left."""

import signal
import time
from collections.abc import Callable, Mapping

import requests

from blitz.torture.plan import Blow, HandAct, RoundPlan
from blitz.torture.processes import Program, free_port
from blitz.torture.stage import Stage
from blitz.torture.watch import Standing

QUIET_SECONDS = 1.6
"""An account whose orders stayed the same for so long, market held and faults lifted, has nothing left to do."""
NEW_DATABASE_SECONDS = 20.0


def play_round(stage: Stage, plan: RoundPlan) -> None:
    """Play one round to its end, when all bots run again."""
    stage.tally.rounds = plan.number + 1
    stage.story.tell(f"round {plan.number + 1}: {plan.blow}, {len(plan.faults)} faults")
    _switch_ids(stage, plan)
    stage.lift_faults()
    for rule in plan.faults:
        stage.exchange.inject(rule)
    if plan.hand is not None:
        _trade_by_hand(stage, plan.hand)
    stage.pass_time(plan.trade_seconds)
    BLOWS[plan.blow](stage, plan)
    stage.watch.read_executions()


def _switch_ids(stage: Stage, plan: RoundPlan) -> None:
    regime = stage.options.regime(plan.number)
    if regime != stage.regime:
        stage.switch_ids(regime)
        stage.story.tell(f"the exchange's order ids: {regime}")


def _trade_by_hand(stage: Stage, act: HandAct) -> None:
    trader = stage.traders[act.bot]
    hand, strangers = stage.hand_of(trader), stage.watch.accounts[trader.key].strangers
    resting = strangers.resting()
    if act.cancels and resting:
        strangers.cancels_asked.add(resting[0].link_id)
        hand.cancel(resting[0].symbol, resting[0].order_id)
        stage.story.tell(f"by hand: {resting[0].link_id} cancelled on {trader.key}")
    hand.place(act)
    stage.tally.hand_orders += 1
    stage.story.tell(f"by hand: {act.link_id} placed on {trader.key}")


def _kill(stage: Stage, plan: RoundPlan) -> None:
    stage.kill_server()
    stage.story.tell("server killed")
    _come_back(stage, plan)


def _come_back(stage: Stage, plan: RoundPlan) -> None:
    stage.pass_time(plan.away_seconds)
    stage.launch_server()
    stage.wait_for_resume()


def _kill_at_start(stage: Stage, plan: RoundPlan) -> None:
    stage.kill_server()
    stage.pass_time(plan.away_seconds)
    stage.launch_server()
    stage.pass_time(plan.moment_seconds)
    stage.kill_server()
    stage.story.tell(f"server killed, and again {plan.moment_seconds:.2f} s after its launch")
    stage.launch_server()
    stage.wait_for_resume()


def _kill_while_stopping(stage: Stage, plan: RoundPlan) -> None:
    stage.watch.protection.stop()
    stage.server.send(signal.SIGTERM)
    stage.pass_time(plan.moment_seconds)
    stage.kill_server()
    stage.story.tell(f"server asked to stop and killed {plan.moment_seconds:.2f} s later")
    _come_back(stage, plan)


def _pause(stage: Stage, plan: RoundPlan) -> None:
    stage.watch.protection.stop()
    stage.server.send(signal.SIGSTOP)
    stage.pass_time(plan.away_seconds)
    stage.server.send(signal.SIGCONT)
    stage.watch.protection.begin(time.monotonic(), restarted=False)
    stage.tally.pauses += 1
    stage.story.tell(f"server stopped for {plan.away_seconds:.2f} s and continued")
    stage.pass_time(plan.moment_seconds)


def _deploy(stage: Stage, plan: RoundPlan) -> None:
    with stage.held_market():
        stage.pass_time(QUIET_SECONDS)
        stage.watch.look(time.monotonic())
        before = _quiet_accounts(stage)
        stage.stop_server()
        stage.watch.look(time.monotonic())
        for key, standing in before.items():
            for order_id, price, trigger, quantity in standing - stage.watch.accounts[key].standing:
                order = f"{order_id} at {price} (trigger {trigger or 'none'}, quantity {quantity})"
                stage.watch.violation(f"account {key}: stopping the server cancelled or changed order {order}")
        stage.story.tell(f"deploy: {len(before)} quiet accounts kept their orders")
    stage.tally.deploys += 1
    _come_back(stage, plan)


def _quiet_accounts(stage: Stage) -> Mapping[str, Standing]:
    """Accounts whose orders have not changed for a while, and for which no request is still held back by a fault."""
    latest = time.monotonic() - QUIET_SECONDS / 2
    accounts = stage.watch.accounts.items()
    return {
        key: watched.standing for key, watched in accounts if max(watched.unchanged_since, watched.fault_at) < latest
    }


def _kill_exchange(stage: Stage, plan: RoundPlan) -> None:
    stage.watch.protection.stop()
    stage.exchange_program.kill()
    stage.tally.exchange_kills += 1
    stage.pass_time(plan.away_seconds)
    stage.launch_exchange()
    stage.watch.protection.begin(time.monotonic(), restarted=False)
    stage.story.tell(f"exchange killed, back after {plan.away_seconds:.2f} s and its start")
    stage.pass_time(plan.moment_seconds)


def _kill_new_database(stage: Stage, plan: RoundPlan) -> None:
    """Beside the running server, one without traders: what its start leaves behind must not keep the next one away."""
    home = stage.folder / f"new-{plan.number}"
    home.mkdir(mode=0o700)
    port = free_port()
    env = {**stage.server_env, "BLITZ_HOME": str(home), "WEB_PORT": str(port)}
    beginner = Program("second server", ["serve"], env, stage.folder / "second-server.log")
    try:
        for seconds in (plan.moment_seconds, plan.moment_seconds / 2):
            beginner.launch()
            stage.pass_time(seconds)
            beginner.kill()
        beginner.launch()
        if not stage.pass_time(NEW_DATABASE_SECONDS, until=lambda: _is_ready(port)):
            said = beginner.last_words()
            stage.watch.violation(f"a server killed while it made its database does not start again:\n{said}")
    finally:
        beginner.kill()
    stage.story.tell(f"a second server with a new database was killed after {plan.moment_seconds:.2f} s and started")


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


BLOWS: dict[Blow, Callable[[Stage, RoundPlan], None]] = {
    Blow.KILL: _kill,
    Blow.KILL_AT_START: _kill_at_start,
    Blow.KILL_WHILE_STOPPING: _kill_while_stopping,
    Blow.KILL_NEW_DATABASE: _kill_new_database,
    Blow.PAUSE: _pause,
    Blow.DEPLOY: _deploy,
    Blow.EXCHANGE_KILL: _kill_exchange,
}
assert set(BLOWS) == set(Blow), "every blow has somebody who deals it"
