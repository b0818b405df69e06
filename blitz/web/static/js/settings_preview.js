// What the server computed for the form as it stands: the table of legs, totals, doubts, and what the market takes.
import { byId, make, number, say, signed, t, tone } from "./page.js";
import { showLegDoubts, showShares } from "./settings_grid.js";

const cell = (value, ...below) => make("td", { class: "n" }, value, ...below.filter(Boolean).map((text) => make("small", { "data-tone": /^[+−]/.test(text) ? tone(text.replace("−", "-")) : null }, text)));
const net = (amount) => amount === null ? null : t("{amount} net", { amount: signed(amount, 2) });
const money = (value, places = 2) => t("{amount} USDT", { amount: number(value, places) });

export function showPreview(plan) {
  const base = plan.symbol.split("/")[0];
  say(byId("preview-price"), t("{market} at {price}", { market: plan.symbol.split(":")[0], price: number(plan.price) }));
  byId("preview").replaceChildren(...plan.legs.map((leg) => legRow(leg, plan)));
  byId("preview-totals").replaceChildren(...totals(plan).flatMap(([name, value, note]) => [make("dt", {}, name), make("dd", {}, value, note ? make("small", {}, note) : null)]));
  showTarget("take_profit", plan.take_profit);
  showTarget("stop_loss", plan.stop_loss);
  showWarnings(plan.warnings);
  showShares(plan);
  say(byId("smallest"), t("The smallest amount of leg 0 that works now is {amount} USDT: at least {quantity} {base} and {notional} USDT of value, at leverage {leverage}.", {
    amount: number(plan.legs[0].smallest_amount), quantity: number(plan.instrument.quantity_min), base,
    notional: number(plan.instrument.notional_min), leverage: number(plan.leverage) }));
}

function legRow(leg, plan) {
  const away = leg.leg ? t("{percent} % away", { percent: number(leg.from_entry_percent) }) : t("market");
  const doubtful = plan.warnings.some((each) => each.leg === leg.leg);
  return make("tr", { class: doubtful ? "doubtful" : null }, make("th", { scope: "row" }, String(leg.leg)),
    cell(number(leg.price), away),
    cell(number(leg.quantity), t("{amount} USDT", { amount: number(leg.notional, 0) })),
    cell(number(leg.margin, 2), t("{amount} in all", { amount: number(leg.total_margin, 2) })),
    cell(number(leg.average, 2), t("fees {amount}", { amount: number(leg.entry_fees, 2) })),
    cell(number(leg.take_profit), net(leg.take_profit_net), leg.bounce_percent === null ? null : t("{percent} % back", { percent: number(leg.bounce_percent) })),
    cell(number(leg.stop_loss), net(leg.stop_loss_net)),
    cell(number(leg.liquidation, 2)));
}

function totals(plan) {
  const { total, balance } = plan;
  const covers = plan.side === "long"
    ? t("{percent} % down", { percent: number(total.coverage_percent) }) : t("{percent} % up", { percent: number(total.coverage_percent) });
  const last = plan.legs[plan.legs.length - 1];
  const rows = [
    [t("Margin, all legs filled"), money(total.margin)],
    [t("Balance"), balance.equity === null ? t("not known") : money(balance.equity), balance.note],
    [t("Position value"), money(total.notional)],
    [t("The legs cover a move"), covers],
    [t("Entry fees"), money(total.entry_fees)],
    [t("Liquidation, all filled ≈"), last.liquidation ? number(last.liquidation, 2) : noLiquidation(plan)],
  ];
  for (const [name, target] of [[t("Take-profit"), plan.take_profit], [t("Stop-loss"), plan.stop_loss]]) {
    rows.push([name, target ? t("{roe} % ROE = {price} % price", { roe: number(target.roe_percent), price: number(target.price_percent) }) : t("off")]);
  }
  return rows;
}

const noLiquidation = (plan) => plan.margin_mode === "cross" && plan.balance.equity === null ? t("needs the balance") : t("at no price");

function showTarget(name, target) {
  say(byId(`${name}-hint`), target ? t("{roe} % of margin is a move of {price} % from the average.", { roe: number(target.roe_percent), price: number(target.price_percent) }) : t("0 or empty is off."));
}

/** Doubts stand in the preview, at their fields and at their legs. */
export function showWarnings(warnings) {
  byId("warnings").hidden = warnings.length === 0;
  byId("warnings").firstElementChild.replaceChildren(...warnings.map((each) => make("li", { "data-code": each.code }, each.message)));
  for (const place of document.querySelectorAll("[data-doubt]")) {
    const said = warnings.filter((each) => each.field === place.dataset.doubt && place.dataset.doubt !== "grids");
    say(place, said.map((each) => each.message).join(" "));
  }
  showLegDoubts(warnings);
}

/** What the market takes, at the fields that it limits; nothing when it is not known. */
export function showRules(market) {
  byId("no-rules").hidden = market !== null;
  byId("rules").hidden = market === null;
  if (market === null) {
    say(byId("leverage-hint"), t("From 1 to the market's limit."));
    say(byId("smallest"), "");
    return;
  }
  const { instrument: rules, price } = market;
  const base = rules.symbol.split("/")[0];
  say(byId("leverage-hint"), t("From {least} to {most} on this market, in steps of {step}.", {
    least: number(rules.leverage_min), most: number(rules.leverage_max), step: number(rules.leverage_step) }));
  say(byId("smallest"), t("The smallest amount of leg 0 that works now is {amount} USDT.", { amount: number(market.smallest_amount) }));
  const rows = [
    [t("Last price"), money(price, undefined)],
    [t("Price step (tick)"), number(rules.tick)],
    [t("Quantity step"), t("{quantity} {base}", { quantity: number(rules.step), base })],
    [t("Least quantity"), t("{quantity} {base}", { quantity: number(rules.quantity_min), base })],
    [t("Least value of an order"), money(rules.notional_min, undefined)],
    [t("Most per order"), t("{quantity} {base}", { quantity: number(rules.quantity_max), base })],
    [t("Most at market"), t("{quantity} {base}", { quantity: number(rules.market_quantity_max), base })],
    [t("Most leverage"), number(rules.leverage_max)],
    [t("Fees: taker, maker"), `${number(rules.taker_percent)} %, ${number(rules.maker_percent)} %`],
  ];
  byId("rules").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}
