// The settings page: the form, its faults at their fields, and the preview that the server computes while one types.
import { ask, byId, call, first, make, number, say, showStrip, toast } from "./page.js";

const PREVIEW_WAIT_MS = 350;
const form = byId("form");
const field = (name) => form.elements[name];
const LADDER = ["exchange", "symbol", "side", "leverage", "margin_mode", "rounds", "take_profit", "stop_loss"];
const FLAGS = ["repeat", "testnet"];
const SECRETS = ["api_key", "api_secret", "telegram_token", "telegram_chat_id"];

let stored = first.settings;
let lastPreview = null;
const cleared = new Set();

function fill(settings) {
  stored = settings;
  for (const name of LADDER) field(name).value = settings[name];
  for (const name of FLAGS) field(name).checked = settings[name];
  form.querySelector(`input[name="mode"][value="${settings.mode}"]`).checked = true;
  byId("grid").replaceChildren(...settings.grids.map((row) => gridRow(row.amount, row.gap)));
  renumber();
  offerMarkets();
  showSecrets(settings);
  byId("next-cycle").hidden = settings.takes_effect !== "next_cycle";
  showStrip(settings.strip);
  byId("going-live").hidden = settings.mode !== "live";
  byId("live-yes").hidden = !settings.armed;
  byId("live-no").hidden = settings.armed;
  byId("live-form").hidden = settings.armed;
}

// The list came with the page, for the exchange that was stored then; another exchange has other markets.
function offerMarkets() {
  const isSame = field("exchange").value === first.settings.exchange;
  field("symbol").setAttribute("list", isSame ? "markets" : "no-markets");
}

function gridRow(amount = "", gap = "") {
  const remove = make("button", { type: "button", class: "icon-button", title: "Remove this leg" }, "×");
  const row = make("tr", {}, make("th", { scope: "row" }), make("td", {}, make("input", { inputmode: "decimal", "data-part": "amount", value: amount })),
    make("td", {}, make("input", { inputmode: "decimal", "data-part": "gap", value: gap })), make("td", {}, remove));
  remove.addEventListener("click", () => { row.remove(); renumber(); later(); });
  return row;
}

function renumber() {
  const rows = [...byId("grid").rows];
  rows.forEach((row, index) => {
    say(row.cells[0], index === 0 ? "0 · entry" : String(index));
    const [amount, gap] = row.querySelectorAll("input");
    amount.setAttribute("aria-label", `Amount of leg ${index}`);
    gap.setAttribute("aria-label", `Gap of leg ${index}`);
    gap.disabled = index === 0;
    gap.placeholder = index === 0 ? "market" : "";
    row.querySelector("button").setAttribute("aria-label", `Remove leg ${index}`);
    row.querySelector("button").disabled = rows.length === 1;
    row.classList.toggle("unused", index >= Number(field("rounds").value || rows.length));
  });
}

function read() {
  const data = Object.fromEntries(LADDER.map((name) => [name, field(name).value.trim()]));
  data.mode = form.querySelector('input[name="mode"]:checked').value;
  for (const name of FLAGS) data[name] = field(name).checked;
  data.grids = [...byId("grid").rows].map((row, index) => {
    const [amount, gap] = row.querySelectorAll("input");
    return { amount: amount.value.trim(), gap: index === 0 ? "0" : gap.value.trim() };
  });
  return data;
}

function showSecrets(settings) {
  const known = { api_key: settings.api_key, api_secret: settings.keys_stored, telegram_token: settings.telegram_stored, telegram_chat_id: settings.telegram_stored };
  cleared.clear();
  for (const name of SECRETS) {
    field(name).value = "";
    field(name).placeholder = known[name] ? (name === "api_key" ? settings.api_key : "••••••••") : "";
    say(byId(`${name}-stored`), known[name] ? "Stored." : "Not set.");
    form.querySelector(`[data-clear="${name}"]`).hidden = !known[name];
  }
}

function showFaults(errors = {}) {
  for (const place of form.querySelectorAll("[data-fault]")) {
    const said = errors[place.dataset.fault];
    say(place, said ? said.join(" ") : "");
    const input = field(place.dataset.fault);
    if (input instanceof Element) said ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  }
  const legs = (errors.grids ?? []).map((text) => Number(/^Leg (\d+)/.exec(text)?.[1] ?? -1));
  [...byId("grid").rows].forEach((row, index) => row.classList.toggle("wrong", legs.includes(index)));
}

let timer = 0;
let asked = 0;
function later() {
  clearTimeout(timer);
  timer = setTimeout(preview, PREVIEW_WAIT_MS);
}

async function preview() {
  const turn = ++asked;
  const { ok, body } = await call("POST", "/api/bot/preview", read());
  if (turn !== asked) return;
  showFaults(body.errors);
  byId("preview-problem").hidden = ok;
  byId("preview-part").hidden = !ok;
  say(byId("preview-problem"), body.errors ? "This ladder cannot trade yet; see the marked fields." : body.message ?? "");
  if (ok) showPreview(body);
}

function showPreview(plan) {
  lastPreview = plan;
  say(byId("preview-price"), `${plan.symbol.split(":")[0]} at ${number(plan.price)}`);
  const cells = (leg) => [leg.quantity, leg.margin, leg.average, leg.take_profit, leg.stop_loss, leg.liquidation];
  const places = [undefined, 2, 2, undefined, undefined, 1];
  byId("preview").replaceChildren(...plan.legs.map((leg) => make("tr", {}, make("th", { scope: "row" }, String(leg.leg)),
    make("td", { class: "n" }, number(leg.price), make("small", {}, leg.leg ? `${leg.from_entry_percent} % away` : "market")),
    ...cells(leg).map((value, index) => make("td", { class: "n" }, number(value, places[index]))))));
  const total = plan.total;
  const figures = [["Margin, all legs filled", `${number(total.margin, 2)} USDT`], ["Position value", `${number(total.notional, 2)} USDT`],
    ["Covers a move of", `${total.coverage_percent} %`], ["Entry fees", `${number(total.entry_fees, 2)} USDT`]];
  byId("preview-totals").replaceChildren(...figures.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  showTarget("take_profit", plan.take_profit);
  showTarget("stop_loss", plan.stop_loss);
}

function showTarget(name, target) {
  say(byId(`${name}-hint`), target ? `${target.roe_percent} % of margin is a move of ${target.price_percent} % from the average.` : "0 or empty is off.");
}

async function save(event) {
  event.preventDefault();
  const data = read();
  if (data.mode === "live" && stored.mode !== "live") {
    say(byId("live-margin"), lastPreview ? `${number(lastPreview.total.margin, 2)} USDT of` : "its whole");
    if (!(await ask(byId("live-dialog")))) return;
  }
  for (const name of SECRETS) {
    const value = field(name).value.trim();
    if (value || cleared.has(name)) data[name] = value;
  }
  byId("save").setAttribute("aria-busy", "true");
  const { ok, body } = await call("PUT", "/api/bot/settings", data);
  byId("save").removeAttribute("aria-busy");
  showFaults(body.errors);
  const next = body.takes_effect === "next_cycle" ? " Takes effect with the next cycle." : "";
  say(byId("saved"), ok ? body.message + next : body.message);
  toast(ok ? body.message + next : body.message, ok ? "good" : "bad");
  if (ok) fill(body);
  else form.querySelector('[aria-invalid="true"], tr.wrong input')?.focus();
}

byId("add-row").addEventListener("click", () => {
  const rows = byId("grid").rows;
  const last = rows[rows.length - 1]?.querySelectorAll("input");
  const everyRow = Number(field("rounds").value) === rows.length;
  byId("grid").append(gridRow(last?.[0].value ?? "100", rows.length > 1 ? last[1].value : "1"));
  if (everyRow) field("rounds").value = rows.length;
  renumber();
  later();
});
for (const button of form.querySelectorAll("[data-clear]")) {
  button.addEventListener("click", () => {
    cleared.add(button.dataset.clear);
    field(button.dataset.clear).value = "";
    field(button.dataset.clear).placeholder = "";
    say(byId(`${button.dataset.clear}-stored`), "Will be removed when you save.");
    button.hidden = true;
  });
}
form.addEventListener("input", (event) => {
  if (event.target.name === "exchange") offerMarkets();
  say(byId("saved"), "");
  if (event.target.name === "rounds") renumber();
  if (!("secret" in event.target.dataset)) later();
});
form.addEventListener("submit", save);
fill(first.settings);
preview();
