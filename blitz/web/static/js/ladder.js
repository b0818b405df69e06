// The ladder as a table and as lines of the chart: planned, resting, filled; and orders that are not the bot's.
import { byId, decimalsOf, even, make, number, say, t } from "./page.js";

const STATES = { planned: t("planned"), resting: t("resting"), filled: t("filled"), missing: t("missing"), unknown: t("unknown"), would: t("at Start") };

export function orderName(key) {
  if (key === "tp") return t("Take-profit");
  if (key === "sl") return t("Stop-loss");
  return key === "leg_0" ? t("Leg 0 · entry") : t("Leg {leg}", { leg: key.slice(4) });
}

const priceOf = (side) => side?.price ?? side?.trigger;
const level = (side, places = 0) => (side ? even(number(priceOf(side) ?? t("market")), places) : "–");

/** A part of the budget as a bar and in words. */
function share(percent) {
  if (!percent) return make("td", { class: "n" }, "–");
  const bar = make("meter", { min: "0", max: "100", value: percent, "aria-hidden": "true" });
  return make("td", { class: "n share" }, bar, `${number(percent, 0)} %`);
}

function row(order, places) {
  const { planned, resting } = order;
  return make("tr", { "data-state": order.state },
    make("th", { scope: "row", title: resting?.client_id ?? "" }, orderName(order.key)),
    make("td", {}, make("span", { class: "pill", "data-state": order.state }, STATES[order.state] ?? order.state)),
    make("td", { class: "n" }, level(planned, places)),
    make("td", { class: "n" }, level(resting, places)),
    make("td", { class: "n" }, number(resting?.quantity ?? planned?.quantity)),
    make("td", { class: "n" }, number(order.filled ?? resting?.filled)),
    make("td", { class: "n" }, number(planned?.margin, 2)),
    share(planned?.share_percent));
}

/** The rows of a preview in the form of a status: what Start would place. */
function previewed(preview) {
  return preview.legs.map(({ leg, price, quantity, margin, share_percent }) => ({
    key: `leg_${leg}`, state: "would", filled: null, resting: null,
    planned: { price: leg ? price : null, quantity, margin, share_percent },
  }));
}

/** How finely this market's prices are written: as the finest that an order has. */
function placesOf(orders) {
  return Math.max(0, ...orders.flatMap(({ planned, resting }) => [planned, resting].map((side) => decimalsOf(priceOf(side)))));
}

export function showLadder(status, preview) {
  const orders = preview ? previewed(preview) : status.orders ?? [];
  const places = placesOf(orders);
  byId("ladder").replaceChildren(...orders.map((order) => row(order, places)));
  byId("ladder").closest(".scroll").hidden = orders.length === 0;
  say(byId("ladder-note"), preview ? t("What Start would place at {price}. Nothing rests yet.", { price: number(preview.price) }) : "");
  const empty = byId("ladder-empty");
  empty.hidden = orders.length > 0;
  say(empty, status.running ? t("No orders yet: the bot is looking at the market.") : t("No orders. Press 🚀 Start Bot to enter and rest the ladder, or look at the preview in Settings first."));
}

const DIRECTIONS = { buy: t("buy"), sell: t("sell") };

export function showForeign(orders) {
  byId("foreign-part").hidden = orders.length === 0;
  byId("foreign").replaceChildren(...orders.map((order) => make("tr", {},
    make("td", {}, DIRECTIONS[order.direction] ?? "–"),
    make("td", { class: "n" }, level(order)),
    make("td", { class: "n" }, number(order.quantity)),
    make("td", {}, make("code", {}, order.client_id || "–")))));
}

const places = (status) => Math.max(placesOf(status.orders ?? []), decimalsOf(status.position.last_price));

/** The last price, always as wide, so that the figure does not jump. */
export const lastPriceOf = (status) => even(number(status.position.last_price), places(status));

/** The average, which falls between two prices of the market. */
export function averageOf(status) {
  const finer = Math.max(2, places(status) + 1);
  return even(number(status.position.average, finer), finer);
}

/** The levels that the chart draws: {kind, price, title, faint}. */
export function levelsOf(status, preview) {
  if (preview) {
    const legs = preview.legs.filter((leg) => leg.leg).map((leg) => ({ kind: "leg", price: leg.price, title: orderName(`leg_${leg.leg}`), faint: true }));
    const exit = preview.legs[0].take_profit;
    return exit ? [...legs, { kind: "tp", price: exit, title: t("Take-profit"), faint: true }] : legs;
  }
  const levels = [];
  for (const order of status.orders ?? []) {
    const price = order.resting?.price ?? order.resting?.trigger;
    if (price) levels.push({ kind: order.key.startsWith("leg_") ? "leg" : order.key, price, title: orderName(order.key) });
  }
  const { position } = status;
  if (position) levels.push({ kind: "average", price: position.average, title: t("Average") });
  if (position?.liquidation) levels.push({ kind: "liquidation", price: position.liquidation, title: t("Liquidation ≈") });
  return levels;
}
