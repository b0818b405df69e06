// The three tables of the history page: what stands in a row, and under which words.
import { duration, even, make, moment, number, sideWord, signed, t, tone } from "./page.js";

const DIRECTIONS = { buy: t("buy"), sell: t("sell") };
const KINDS = { trade: t("trade"), funding: t("funding"), liquidation: t("liquidation"), adl: t("auto-deleveraging") };
export const ENDS = {
  take_profit: t("take-profit filled"), stop_loss: t("stop-loss filled"), closed_by_trader: t("closed by you"),
  closed_externally: t("closed outside this server"), liquidated: t("liquidated"), not_entered: t("not entered"), given_up: t("given up"),
};

export const when = (iso) => (iso ? make("time", { datetime: `${iso}Z`, title: `${iso.replace("T", " ")} UTC` }, moment(iso)) : "–");
/** Two places, four below 0.1: more is for machines, which read the CSV. */
const placesOf = (value) => (/^[+-]?0\.0/.test(String(value)) ? 4 : 2);
export const amount = (value, places = placesOf(value)) => even(number(value, places), places);
export const change = (value, places = placesOf(value)) => even(signed(value, places), places);
export const money = (value, places) => make("span", { "data-tone": tone(value) }, change(value, places));
export const market = (row) => `${row.symbol.split(":")[0]} · ${sideWord(row.side)}`;

/** How long a cycle ran, or has been running. Both ends are whole seconds of the server. */
export function ranFor(row) {
  const end = row.ended_at ? Date.parse(`${row.ended_at}Z`) : Date.now();
  return duration(Math.max(0, Math.floor((end - Date.parse(`${row.started_at}Z`)) / 1000)));
}

export function orderWord(order) {
  if (!order) return "–";
  if (order.startsWith("leg_")) return t("Leg {number}", { number: order.slice(4) });
  return { tp: t("Take-profit"), sl: t("Stop-loss") }[order] ?? order;
}

/** A link to one cycle, on the account that is shown. */
export function cycleLink(cycle, account) {
  if (!cycle) return "–";
  return make("a", { href: `/history?${new URLSearchParams({ account, cycle })}`, "data-cycle": cycle, "aria-label": t("Cycle {number}", { number: cycle }) }, `#${cycle}`);
}

function outcome(row) {
  if (row.ended_at) return ENDS[row.end] ?? row.end;
  return make("span", { class: "pill", "data-state": "running" }, t("running"));
}

const cycleOf = (row, account) => cycleLink(row.cycle, account);

// Each column: its heading, what stands in it, and "n" for numbers.
const TABLES = {
  cycles: [
    [t("Cycle"), (row, account) => cycleLink(row.number, account), "head"],
    [t("Profit"), (row) => money(row.profit, 4), "n"],
    [t("Outcome"), outcome],
    [t("Legs"), (row) => String(row.legs_filled), "n"],
    [t("Market"), market],
    [t("Started"), (row) => when(row.started_at)],
    [t("Ended"), (row) => when(row.ended_at)],
    [t("Length"), (row) => ranFor(row), "n"],
    [t("Realised"), (row) => change(row.realised, 4), "n"],
    [t("Fees"), (row) => amount(row.fees, 4), "n"],
    [t("Funding"), (row) => amount(row.funding, 4), "n"],
  ],
  fills: [
    [t("Time"), (row) => when(row.at), "head"],
    [t("Cycle"), cycleOf],
    [t("Order"), (row) => orderWord(row.order)],
    [t("Kind"), (row) => KINDS[row.kind] ?? row.kind],
    [t("Market"), (row) => row.symbol.split(":")[0]],
    [t("Direction"), (row) => (row.kind === "funding" ? "–" : DIRECTIONS[row.direction] ?? row.direction)],
    [t("Quantity"), (row) => number(row.quantity), "n"],
    [t("Price"), (row) => number(row.price), "n"],
    [t("Value"), (row) => amount(row.value), "n"],
    [t("Fee"), (row) => amount(row.fee, 4), "n"],
    [t("Role"), (row) => (row.kind === "trade" ? (row.maker ? t("maker") : t("taker")) : "–")],
  ],
  events: [
    [t("Time"), (row) => when(row.at), "head"],
    [t("Cycle"), cycleOf],
    [t("What happened"), (row) => make("span", { class: `said ${row.tone}` }, row.message), "wide"],
  ],
};

/** A table of rows, without the cycle where all are of one. Its roles are written out: on a phone its parts are cards. */
export function tableOf(name, rows, account, { ofOne = false } = {}) {
  const columns = TABLES[name].filter(([, show]) => !ofOne || show !== cycleOf);
  const heads = columns.map(([words, , kind]) => make("th", { scope: "col", role: "columnheader", class: kind === "n" ? "n" : null }, words));
  const cells = (row) => columns.map(([words, show, kind]) => make(kind === "head" ? "th" : "td",
    { role: kind === "head" ? "rowheader" : "cell", scope: kind === "head" ? "row" : null, class: kind === "head" ? null : kind, "data-label": words }, show(row, account)));
  return make("table", { class: `cards ${name}`, role: "table" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads)),
    make("tbody", { role: "rowgroup" }, ...rows.map((row) => make("tr", { role: "row", "data-id": row.id }, ...cells(row)))));
}
