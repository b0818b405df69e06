// The settings page: the form, its faults at their fields, and the preview that the server computes while one types.
import { ask, byId, call, first, number, say, showStrip, t, toast } from "./page.js";
import { fillGrid, onChange, readGrid, renumber, showLegFaults, showShares } from "./settings_grid.js";
import { showPreview, showRules, showWarnings } from "./settings_preview.js";
import { connectTools, forget, showPresets } from "./settings_tools.js";

const PREVIEW_WAIT_MS = 350;
const PRICE_AGE_MS = 15000;
const BALANCE_WAIT_MS = 2500;
const form = byId("form");
const field = (name) => form.elements[name];
const LADDER = ["exchange", "symbol", "side", "leverage", "margin_mode", "rounds", "take_profit", "stop_loss"];
const FLAGS = ["repeat", "testnet"];

let stored = first.settings;
let asStored = "";
let lastPreview = null;

/** Fill in the fields that `settings` has; the others stay as they are. */
function apply(settings) {
  for (const name of LADDER) if (name in settings) field(name).value = settings[name];
  for (const name of FLAGS) if (name in settings) field(name).checked = settings[name];
  if (settings.mode) form.querySelector(`input[name="mode"][value="${settings.mode}"]`).checked = true;
  if (settings.grids) fillGrid(settings.grids);
  renumber();
  byId("testnet-part").hidden = mode() !== "demo";
  showUnsaved();
  later();
}

function fill(settings) {
  stored = settings;
  apply(settings);
  forget();
  asStored = JSON.stringify(read());
  showUnsaved();
  byId("next-cycle").hidden = settings.takes_effect !== "next_cycle";
  showStrip(settings.strip);
  byId("going-live").hidden = settings.mode !== "live";
  byId("live-yes").hidden = !settings.armed;
  byId("live-no").hidden = settings.armed;
  byId("live-form").hidden = settings.armed;
}

const mode = () => form.querySelector('input[name="mode"]:checked').value;

function read() {
  const data = Object.fromEntries(LADDER.map((name) => [name, field(name).value.trim()]));
  data.mode = mode();
  for (const name of FLAGS) data[name] = field(name).checked;
  data.grids = readGrid();
  return data;
}

const isUnsaved = () => asStored !== "" && JSON.stringify(read()) !== asStored;

function showUnsaved() {
  const unsaved = isUnsaved();
  byId("discard").hidden = !unsaved;
  const words = stored.takes_effect === "next_cycle" ? t("Unsaved changes. Saved, they take effect with the next cycle.") : t("Unsaved changes.");
  say(byId("unsaved"), unsaved ? words : "");
  if (unsaved) say(byId("saved"), "");
}

/** Faults at their fields, inside `part`; fields without a fault are cleared. */
function showFaults(part, errors = {}) {
  for (const place of part.querySelectorAll("[data-fault]")) {
    const name = place.dataset.fault;
    const said = name === "grids" ? errors.grids && showLegFaults(errors.grids) : errors[name];
    if (name === "grids" && !errors.grids) showLegFaults([]);
    say(place, said ? said.join(" ") : "");
    const input = part.querySelector(`[name="${name}"], [data-generate="${name}"]`);
    if (input) errors[name] ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  }
}

/** Say what has no field, and go to the first field that is wrong. */
function complain(body, part) {
  const known = new Set([...part.querySelectorAll("[data-fault]")].map((place) => place.dataset.fault));
  const homeless = Object.entries(body.errors ?? {}).filter(([name]) => !known.has(name) && part.id !== "import");
  if (!body.errors || homeless.length) toast([body.message, ...homeless.map(([name, said]) => `${name}: ${said.join(" ")}`)].join("\n"), "bad");
  part.querySelector('[aria-invalid="true"], [aria-invalid=""]')?.focus();
}

// The ladder's own faults; those of the tools are theirs.
const ladderParts = () => [...form.querySelectorAll("fieldset")].filter((part) => part.id !== "tools");
const showLadderFaults = (errors) => ladderParts().forEach((part) => showFaults(part, errors));

let timer = 0;
let asked = 0;
function later() {
  clearTimeout(timer);
  timer = setTimeout(preview, PREVIEW_WAIT_MS);
}

async function preview() {
  clearTimeout(timer);
  const turn = ++asked;
  const data = read();
  followMarket(data);
  const { ok, body } = await call("POST", "/api/bot/preview", data);
  if (turn !== asked) return;
  showLadderFaults(body.errors);
  byId("preview-problem").hidden = ok;
  byId("preview-part").hidden = !ok;
  say(byId("preview-problem"), body.errors ? t("This ladder cannot trade yet; see the marked fields.") : body.message ?? "");
  lastPreview = ok ? body : null;
  if (!ok) {
    showWarnings([]);
    showShares(null);
    return showMarket(data);
  }
  rulesOf = keyOf(data, MARKET);
  showRules({ instrument: body.instrument, price: body.price, smallest_amount: body.legs[0].smallest_amount });
  showPreview(body);
  // The price grows old while one thinks, and a balance may be on its way.
  timer = setTimeout(refresh, body.balance.coming ? BALANCE_WAIT_MS : PRICE_AGE_MS);
}

function refresh() {
  if (document.hidden) timer = setTimeout(refresh, PRICE_AGE_MS);
  else preview();
}

const VENUE = ["exchange", "mode", "testnet"];
const MARKET = [...VENUE, "symbol", "leverage"];
const PRESETS = [...VENUE, "symbol", "side", "margin_mode"];
const keyOf = (data, names) => JSON.stringify(names.map((name) => data[name]));
const only = (data, names) => Object.fromEntries(names.map((name) => [name, data[name]]));
let venueOf = keyOf(first.settings, VENUE);
let rulesOf = "";
let presetsOf = "";

// The list of markets goes with the exchange, the presets with market and side.
function followMarket(data) {
  const [venue, presets] = [keyOf(data, VENUE), keyOf(data, PRESETS)];
  if (venue !== venueOf) {
    venueOf = venue;
    call("GET", `/api/bot/markets?${new URLSearchParams(only(data, VENUE))}`).then(({ ok, body }) => venue === venueOf && offerMarkets(ok ? body.symbols : []));
  }
  if (presets !== presetsOf) {
    presetsOf = presets;
    showPresets(only(data, PRESETS));
  }
}

// A ladder that cannot be previewed has a market all the same.
async function showMarket(data) {
  const market = keyOf(data, MARKET);
  if (market === rulesOf) return;
  rulesOf = market;
  const words = new URLSearchParams(Object.entries(only(data, MARKET)).filter(([, value]) => value !== ""));
  const { ok, body } = await call("GET", `/api/bot/market?${words}`);
  if (market === rulesOf) showRules(ok ? body : null);
}

function offerMarkets(symbols) {
  byId("markets").replaceChildren(...symbols.map((value) => Object.assign(document.createElement("option"), { value })));
}

async function save(event) {
  event.preventDefault();
  const data = read();
  if (data.mode === "live" && stored.mode !== "live") {
    const words = lastPreview
      ? t("The ladder then takes up to {amount} USDT of margin on your exchange account.", { amount: number(lastPreview.total.margin, 2) })
      : t("The ladder then takes its whole margin on your exchange account.");
    say(byId("live-margin"), words);
    if (!(await ask(byId("live-dialog")))) return;
  }
  byId("save").setAttribute("aria-busy", "true");
  const { ok, body } = await call("PUT", "/api/bot/settings", data);
  byId("save").removeAttribute("aria-busy");
  showLadderFaults(body.errors);
  const message = ok && body.takes_effect === "next_cycle" ? `${body.message} ${t("Takes effect with the next cycle.")}` : body.message;
  toast(message, ok ? "good" : "bad");
  if (ok) fill(body);
  else complain({ errors: body.errors ?? {} }, form);
  say(byId("saved"), message);
}

form.addEventListener("input", (event) => {
  if (event.target.closest?.("#tools")) return;
  if (event.target.name === "rounds") renumber();
  if (event.target.name === "mode") byId("testnet-part").hidden = mode() !== "demo";
  say(byId("saved"), "");
  showUnsaved();
  if (event.target !== form) later();
});
form.addEventListener("submit", save);
byId("discard").addEventListener("click", () => { fill(stored); byId("save").focus(); });
window.addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });
onChange(() => { showUnsaved(); later(); });
connectTools({ read, apply, faults: showFaults, complain, frame: () => ({ side: field("side").value, leverage: field("leverage").value.trim() }) });
fill(first.settings);
preview();
