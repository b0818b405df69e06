// The figures of the history page: tiles, days, depths, and the cycle that runs or is looked at.
import { byId, duration, make, moment, number, say, t, tone } from "./page.js";
import { amount, change, cycleLink, ENDS, market, money, ranFor, when } from "./history_tables.js";

function figure(id, text, toneOf) {
  say(byId(id), text);
  if (toneOf === undefined) delete byId(id).dataset.tone;
  else byId(id).dataset.tone = tone(toneOf);
}

const legs = (count) => (count === 1 ? t("1 leg") : t("{count} legs", { count }));
const cycles = (count) => (count === 1 ? t("1 cycle") : t("{count} cycles", { count }));

/** A sentence with elements in it: {name} stands for parts.name, wherever the language puts it. */
const woven = (text, parts) => text.split(/\{(\w+)\}/).map((piece, index) => (index % 2 ? parts[piece] : piece));

function showBest(id, cycle, account) {
  figure(id, cycle ? change(cycle.profit) : "–", cycle?.profit);
  byId(`${id}-sub`).replaceChildren(...(cycle ? [cycleLink(cycle.number, account), ` · ${legs(cycle.legs_filled)} · ${duration(cycle.seconds)}`] : []));
}

export function showFigures({ figures, account }) {
  figure("net", figures.cycles || figures.not_entered ? change(figures.net) : "–", figures.net);
  say(byId("net-sub"), figures.cycles ? t("USDT; {average} per cycle on average", { average: change(figures.average_profit) }) : t("USDT"));
  figure("win-rate", figures.win_rate === null ? "–" : `${figures.win_rate} %`);
  say(byId("win-rate-sub"), t("{won} won, {lost} lost, {even} even", { won: figures.won, lost: figures.lost, even: figures.even }));
  const { amount: fall, from_at: from, to_at: to } = figures.drawdown;
  figure("drawdown", to ? amount(fall) : "–", to ? `-${fall}` : undefined);
  say(byId("drawdown-sub"), !to ? t("The running total never fell.") : from ? t("USDT, from {from} to {to}", { from: moment(from), to: moment(to) }) : t("USDT below the beginning, at {to}", { to: moment(to) }));
  figure("fees", amount(figures.fees));
  say(byId("fees-sub"), figures.funding.startsWith("-") ? t("USDT; funding received: {amount}", { amount: amount(figures.funding.slice(1)) }) : t("USDT; funding paid: {amount}", { amount: amount(figures.funding) }));
  figure("length", figures.average_seconds === null ? "–" : duration(figures.average_seconds));
  const longest = figures.longest;
  byId("length-sub").replaceChildren(...(longest ? woven(t("longest: {length}, cycle {cycle}"), { length: duration(longest.seconds), cycle: cycleLink(longest.number, account) }) : []));
  figure("deepest", figures.deepest ? legs(figures.deepest.legs_filled) : "–");
  byId("deepest-sub").replaceChildren(...(figures.deepest ? woven(t("first in cycle {cycle}"), { cycle: cycleLink(figures.deepest.number, account) }) : []));
  showBest("best", figures.best, account);
  showBest("worst", figures.worst, account);
}

export function showDays(days) {
  byId("day-rows").replaceChildren(...days.toReversed().map((day) => make("tr", {}, make("th", { scope: "row" }, day.day),
    ...[String(day.cycles), String(day.won), amount(day.fees, 4), amount(day.funding, 4)].map((text) => make("td", { class: "n" }, text)),
    make("td", { class: "n" }, money(day.profit, 4)), make("td", { class: "n" }, money(day.cumulative, 4)))));
  byId("day-empty").hidden = days.length > 0;
  byId("day-chart").hidden = days.length === 0;
  byId("day-details").hidden = days.length === 0;
}

export function showDepths(depths) {
  const most = Math.max(1, ...depths.map((depth) => depth.cycles));
  byId("depths").replaceChildren(...depths.map((depth) => {
    const bar = make("span", { class: "depth-bar", "aria-hidden": "true" });
    bar.style.inlineSize = `${(100 * depth.cycles) / most}%`;
    return make("li", {}, make("span", {}, legs(depth.legs_filled)), make("span", { class: "depth-track" }, bar), make("span", { class: "n" }, cycles(depth.cycles)));
  }));
  byId("depth-empty").hidden = depths.length > 0;
}

const fact = (words, ...values) => make("div", {}, make("dt", {}, words), make("dd", {}, ...values));

function facts(row) {
  return [fact(t("Market"), market(row)), fact(t("Started"), when(row.started_at)), row.ended_at ? fact(t("Ended"), when(row.ended_at)) : null,
    fact(t("Length"), ranFor(row)), fact(t("Legs filled"), String(row.legs_filled)), fact(t("Realised"), change(row.realised)), fact(t("Fees paid"), amount(row.fees)),
    fact(t("Funding paid"), amount(row.funding)), fact(row.ended_at ? t("Profit") : t("Booked so far"), money(row.profit))].filter(Boolean);
}

/** The cycle that has not ended: its figures so far are in no sum of this page. */
export function showRunning(row, account) {
  byId("running").hidden = !row;
  if (!row) return;
  byId("running-title").replaceChildren(...woven(t("Cycle {cycle}"), { cycle: cycleLink(row.number, account) }));
  byId("running-facts").replaceChildren(...facts(row));
}

export function showCycle(row) {
  say(byId("one-title"), t("Cycle {number}", { number: row.number }));
  say(byId("one-state"), row.ended_at ? ENDS[row.end] ?? row.end : t("running"));
  byId("one-state").dataset.state = row.ended_at ? "done" : "running";
  byId("one-facts").replaceChildren(...facts(row));
  const { grids, rounds, leverage, margin_mode: margin, take_profit: takeProfit, stop_loss: stopLoss, repeat } = row.settings;
  const off = (value) => (/[1-9]/.test(value) ? `${number(value)} %` : t("off"));
  byId("one-settings").replaceChildren(fact(t("Leverage"), `${number(leverage)}×`), fact(t("Margin mode"), margin === "isolated" ? t("isolated") : t("cross")),
    fact(t("Take-profit (ROE)"), off(takeProfit)), fact(t("Stop-loss (ROE)"), off(stopLoss)), fact(t("Repeat"), repeat ? t("yes") : t("no")),
    ...grids.slice(0, rounds).map((leg, index) => fact(t("Leg {number}", { number: index }), index ? t("{amount} USDT, {gap} % further", { amount: number(leg.amount), gap: number(leg.gap) }) : t("{amount} USDT", { amount: number(leg.amount) }))));
}
