// The history page. What is shown stands in the address, so that a view can be kept, sent and gone back to.
import { byId, call, first, say, t } from "./page.js";
import { showCycle, showDays, showDepths, showFigures, showRunning } from "./history_figures.js";
import { tableOf } from "./history_tables.js";

const POLL_MS = 15000;
const PAGE = 50;
const FILTERS = { cycles: ["symbol", "side", "outcome"], fills: ["cycle", "kind"], events: ["cycle", "group"] };
const ROUTES = { cycles: "/api/bot/cycles", fills: "/api/bot/fills", events: "/api/bot/feed" };
const own = document.documentElement.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
let zone = own;
let turn = 0; // an answer that comes after a newer question is not shown
let drawn = ""; // of which days the figures stand there
let newest = ""; // the newest cycle as it was last seen
let pages = {};

/** What the address says; unknown words are left out. */
function view() {
  const words = new URLSearchParams(location.search);
  const table = Object.hasOwn(FILTERS, words.get("table") ?? "") ? words.get("table") : "cycles";
  const one = words.has("table") ? null : words.get("cycle");
  return { words, table: one ? "fills" : table, one };
}

const spanOf = (words) => ({ account: first.account, time_zone: zone, ...picked(words, ["from", "to"]) });
const picked = (words, names) => Object.fromEntries(names.filter((name) => words.get(name)).map((name) => [name, words.get(name)]));
const path = (route, query) => `${route}?${new URLSearchParams(query)}`;

/** The query of the table that is shown, without the place of the page. */
function tableQuery({ words, table, one }) {
  if (one) return { account: first.account, cycle: one };
  return { ...spanOf(words), ...picked(words, FILTERS[table]) };
}

/** Change the address and show what it says. A value that is empty is taken out of it. */
function go(changes, { keepPage = false } = {}) {
  const { words } = view();
  if (!keepPage) ["before", "newer"].forEach((name) => words.delete(name));
  for (const [name, value] of Object.entries(changes)) {
    if (value) words.set(name, value);
    else words.delete(name);
  }
  if (words.size || location.search) history.pushState(null, "", `/history${words.size ? `?${words}` : ""}`);
  return show();
}

async function show() {
  const mine = ++turn;
  const now = view();
  showForm(now);
  showFault(null);
  const answers = await Promise.all(now.one ? [showOne(now, mine), showRows(now, mine), showEvents(now, mine)] : [showStatistics(now, mine), showRows(now, mine)]);
  if (mine !== turn) return;
  if (zone !== "UTC" && answers.some((body) => body?.errors?.time_zone)) {
    zone = "UTC"; // the browser knows a zone that this server does not
    await show();
    return;
  }
  showFault(answers.find(Boolean));
}

function showFault(body) {
  byId("fault").hidden = !body;
  if (!body) return;
  const details = Object.entries(body.errors ?? {}).map(([field, sentences]) => `${field}: ${sentences.join(" ")}`);
  say(byId("fault"), [body.message, ...details].join(" "));
}

function showForm({ words, table, one }) {
  byId("overview").hidden = Boolean(one);
  byId("one-cycle").hidden = true;
  byId("cycle-events").hidden = true;
  byId("filters").hidden = byId("tabs").hidden = Boolean(one);
  byId("tables-title").classList.toggle("sr", !one);
  say(byId("tables-title"), one ? t("Fills") : t("Tables"));
  for (const link of byId("tabs").children) {
    link.href = path("/history", { ...picked(words, ["account", "from", "to"]), table: link.dataset.table });
    if (link.dataset.table === table) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const label of byId("filters").querySelectorAll("[data-for]")) label.hidden = !label.dataset.for.split(" ").includes(table);
  for (const field of byId("filters").elements) if (field.name) field.value = words.get(field.name) ?? "";
  for (const field of byId("days").elements) if (field.name) field.value = words.get(field.name) ?? "";
  byId("clear").hidden = !FILTERS[table].some((name) => words.get(name));
  for (const button of byId("presets").children) {
    const { from, to } = daysOf(button.dataset.days);
    button.setAttribute("aria-pressed", String((words.get("from") ?? "") === from && (words.get("to") ?? "") === to));
  }
  byId("csv").href = path(ROUTES[table], { ...tableQuery({ words, table, one }), format: "csv" });
  byId("back").href = path("/history", picked(words, ["account"]));
  const named = { zone: own.replaceAll("_", " ") };
  say(byId("zone-note"), zone === own ? t("Times in {zone}", named) : t("Times in {zone}, which this server does not know: days are those of UTC", named));
}

/** The days that a button means, as the reader's own calendar has them. */
function daysOf(word) {
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
  if (word === "all") return { from: "", to: "" };
  if (word === "year") return { from: `${today.slice(0, 4)}-01-01`, to: "" };
  const begin = new Date(`${today}T00:00Z`);
  begin.setUTCDate(begin.getUTCDate() - Number(word) + 1);
  return { from: begin.toISOString().slice(0, 10), to: "" };
}

async function showStatistics({ words }, mine) {
  const query = path("/api/bot/statistics", spanOf(words));
  if (drawn === query) return null;
  const { ok, body } = await call("GET", query);
  if (mine !== turn) return null;
  if (!ok) return body;
  drawn = query;
  showFigures(body);
  showDays(body.days);
  showDepths(body.depths);
  showRunning(body.running, first.account);
  byId("equity-chart").hidden = !body.curve.length;
  byId("equity-empty").hidden = body.curve.length > 0;
  byId("day-csv").href = path("/api/bot/statistics", { ...spanOf(words), format: "csv" });
  const { drawCharts } = await import("./history_charts.js");
  drawCharts(body);
  return null;
}

async function showRows(now, mine) {
  const { words, table } = now;
  const place = words.get("newer") ? { newer_than: words.get("newer") } : picked(new URLSearchParams({ before_id: words.get("before") ?? "" }), ["before_id"]);
  const { ok, body } = await call("GET", path(ROUTES[table], { ...tableQuery(now), ...place, limit: PAGE }));
  if (mine !== turn) return null;
  if (!ok) return body;
  pages = { older: body.next_before_id, newer: body.newer_than_id };
  byId("rows").replaceChildren(...(body.rows.length ? [tableOf(table, body.rows, first.account, { ofOne: Boolean(now.one) })] : []));
  byId("rows-empty").hidden = body.rows.length > 0;
  say(byId("rows-empty"), emptyWords(now));
  byId("older").disabled = !pages.older;
  byId("newer").disabled = !pages.newer;
  byId("older").parentElement.hidden = !pages.older && !pages.newer;
  say(byId("page-note"), body.rows.length === 1 ? t("1 row") : t("{count} rows", { count: body.rows.length }));
  return null;
}

function emptyWords({ words, table, one }) {
  if (one) return t("Nothing has filled in this cycle yet.");
  if (FILTERS[table].some((name) => words.get(name))) return t("Nothing matches these filters. Clear them, or choose other days.");
  return words.get("from") || words.get("to") ? t("Nothing on these days. Choose other days, or Everything.") : t("Nothing yet. What the bot does will be listed here.");
}

async function showOne({ one }, mine) {
  const { ok, body } = await call("GET", path(`/api/bot/cycles/${encodeURIComponent(one)}`, { account: first.account }));
  if (mine !== turn) return null;
  if (!ok) return { message: t("There is no cycle {number} on this account.", { number: one }) };
  byId("running").hidden = true;
  byId("one-cycle").hidden = false;
  showCycle(body);
  return null;
}

async function showEvents({ one }, mine) {
  const query = { account: first.account, cycle: one };
  const { ok, body } = await call("GET", path(ROUTES.events, { ...query, limit: 200 }));
  if (mine !== turn || !ok) return null;
  byId("cycle-events").hidden = !body.rows.length;
  byId("event-rows").replaceChildren(tableOf("events", body.rows, first.account, { ofOne: true }));
  byId("cycle-events-csv").href = path(ROUTES.events, { ...query, format: "csv" });
  byId("event-more").hidden = !body.next_before_id;
  byId("event-more-link").href = path("/history", { ...query, table: "events", before: body.next_before_id ?? "" });
  return null;
}

/** A running cycle goes on while the page lies open; what is read on an older page, or filled in, is left alone. */
async function poll() {
  const { words, one } = view();
  const isBusy = document.activeElement.matches("input, #rows a");
  if (document.hidden || one || isBusy) return;
  const { ok, body } = await call("GET", path("/api/bot/cycles", { account: first.account, limit: 1 }));
  if (!ok) return;
  const seen = JSON.stringify(body.rows);
  if (seen === newest) return;
  const isFirst = !newest;
  newest = seen;
  if (isFirst || words.get("before") || words.get("newer")) return;
  drawn = "";
  await show();
}

async function turnPage(button, changes) {
  await go(changes, { keepPage: true });
  byId("tables").scrollIntoView({ block: "start" });
  if (button.disabled || button.parentElement.hidden) byId("rows").focus();
}

/** A link to a part of this page is followed without loading it anew, unless it is opened elsewhere. */
function follow(event) {
  const link = event.target.closest("a[data-table], a[data-cycle], #back, #event-more-link");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  const isPage = !link.dataset.table;
  show().then(() => { if (isPage) { scrollTo(0, 0); byId("main").focus(); } });
}

byId("main").tabIndex = -1;
document.addEventListener("click", follow);
addEventListener("popstate", show);
byId("days").addEventListener("submit", (event) => event.preventDefault());
byId("days").addEventListener("change", (event) => { if (event.target.validity.valid) go({ [event.target.name]: event.target.value }); });
byId("presets").addEventListener("click", (event) => { if (event.target.dataset.days) go(daysOf(event.target.dataset.days)); });
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("change", (event) => { if (event.target.validity.valid) go({ table: view().table, [event.target.name]: event.target.value }); });
byId("clear").addEventListener("click", () => { go({ table: view().table, symbol: "", side: "", outcome: "", cycle: "", kind: "", group: "" }); byId("tabs").querySelector("[aria-current]").focus(); });
byId("older").addEventListener("click", (event) => turnPage(event.currentTarget, { before: String(pages.older), newer: "", table: view().one ? "" : view().table }));
byId("newer").addEventListener("click", (event) => turnPage(event.currentTarget, { newer: String(pages.newer), before: "", table: view().one ? "" : view().table }));
byId("account")?.addEventListener("change", (event) => location.assign(path("/history", { account: event.target.value })));
addEventListener("beforeprint", () => { byId("day-details").open = true; });
show().then(poll);
setInterval(poll, POLL_MS);
