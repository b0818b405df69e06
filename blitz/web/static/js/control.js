// The control page: shows what the bot last published, and sends the four commands.
import { ask, byId, call, duration, first, make, moment, number, say, showStrip, signed, STATUS_WORDS, tone } from "./page.js";

const POLL_MS = 3000;
const STREAM_RETRY_MS = 30000;
const FEED_LINES_MAX = 200;
const STATE_WORDS = { planned: "planned", resting: "resting", filled: "filled", missing: "missing", unknown: "unknown" };
const BUSY = new Set(["starting", "running", "stopping", "stopping_after_cycle", "needs_attention"]);

let shown = first.status;
let shownAt = Date.now();
let newestLine = 0;

function show(status) {
  shown = status;
  shownAt = Date.now();
  keepStripTrue(status);
  showState(status);
  showUnfinished(status.unfinished);
  showProtection(status);
  showFigures(status);
  showLadder(status.orders ?? []);
  showForeign(status.foreign_orders ?? []);
}

/** A bot that begins or ends, or a cycle in another mode, changes whose money it is. */
let tradedAs = null;
async function keepStripTrue(status) {
  const now = `${status.exchange} ${status.mode} ${Boolean(status.running)} ${Boolean(status.cycle)}`;
  const isNew = tradedAs !== null && tradedAs !== now;
  tradedAs = now;
  if (!isNew) return;
  const { ok, body } = await call("GET", "/api/bot/settings");
  if (ok) showStrip(body.strip);
}

function showState(status) {
  const settings = first.settings;
  byId("state-dot").dataset.status = status.status;
  say(byId("state-word"), STATUS_WORDS[status.status] ?? status.status);
  say(byId("state-message"), status.attention?.message ?? status.message ?? "");
  byId("state-message").classList.toggle("bad-text", Boolean(status.attention) || status.status === "error");
  const side = status.side ?? settings.side;
  say(byId("market-line"), `${status.symbol ?? settings.symbol} · ${side} · ${number(status.position?.leverage ?? settings.leverage)}× · ${status.exchange ?? settings.exchange}`);
  const running = BUSY.has(status.status);
  byId("start").classList.toggle("primary", !running);
  byId("start").disabled = running;
  byId("stop").disabled = !running;
  byId("stop-way").disabled = !running;
  showUptime();
}

/** A cycle that is open elsewhere than the settings say, or whose key is lost: the way on, and the way out. */
function showUnfinished(unfinished) {
  byId("unfinished").hidden = !unfinished;
  say(byId("unfinished-words"), unfinished?.message ?? "");
  byId("unfinished").classList.toggle("bad", Boolean(unfinished?.key_lost));
  byId("give-up").hidden = !unfinished?.can_give_up;
}

function showUptime() {
  const since = shown.running ? Math.floor((Date.now() - shownAt) / 1000) : 0;
  say(byId("uptime"), shown.running ? `up ${duration(shown.uptime + since)}` : "");
}

function showProtection(status) {
  const { state, word, why } = protectionWords(status);
  const box = byId("protection");
  box.dataset.state = state;
  box.toggleAttribute("data-incident", Boolean(status.protected?.incident));
  say(byId("protection-word"), word);
  say(byId("protection-why"), why);
}

/** What may be said of the position. Unknown is shown as loudly as unprotected: nobody knows better. */
function protectionWords(status) {
  const guard = status.protected ?? {};
  const since = guard.since ? ` since ${moment(guard.since)}` : "";
  switch (guard.state) {
    case "protected": return { state: "yes", word: `Protected${since}`, why: guard.why };
    case "unprotected": return { state: "no", word: `UNPROTECTED${since}`, why: guard.why };
    case "unknown": return { state: "no", word: `PROTECTION UNKNOWN${since}`, why: guard.why };
    case "no_position": return { state: "none", word: "No position", why: "nothing is at risk" };
    default: return { state: "none", word: "Not watched", why: "nobody has looked at the account since the server started" };
  }
}

function showFigures(status) {
  const { position, cycle, profit } = status;
  const [base, quote] = (status.symbol ?? first.settings.symbol).split(":")[0].split("/");
  const flat = status.looked_at ? "flat" : "–";
  const seen = !status.running && status.looked_at ? `as last seen ${moment(status.looked_at)}` : "";
  say(byId("position"), position ? `${number(position.quantity)} ${base}` : flat);
  say(byId("position-sub"), [position ? `average ${number(position.average, 4)}` : "", seen].filter(Boolean).join(" · "));
  say(byId("price"), number(position?.last_price ?? status.last_price));
  say(byId("price-sub"), distance(status));
  setMoney(byId("unrealised"), position?.unrealised);
  say(byId("liquidation"), position?.liquidation ? `liquidation ≈ ${number(position.liquidation)}` : "");
  say(byId("cycle"), cycle ? `#${cycle.number}` : "–");
  say(byId("cycle-sub"), cycle ? `${cycle.legs_filled} of ${cycle.legs} legs filled · since ${moment(cycle.started_at)}` : "no open cycle");
  setMoney(byId("net"), profit?.net);
  say(byId("net-sub"), profit ? `${quote} · ${profit.cycles} ${profit.cycles === 1 ? "cycle" : "cycles"} · fees ${number(profit.fees, 2)} · funding ${number(profit.funding, 2)}` : "");
}

function setMoney(element, value) {
  say(element, signed(value, 2));
  element.dataset.tone = tone(value);
}

/** How far the take-profit is, in percent of the price. */
function distance(status) {
  const target = (status.orders ?? []).find((order) => order.key === "tp");
  const level = Number(target?.resting?.price ?? target?.planned?.price);
  const price = Number(status.position?.last_price);
  return level && price ? `${(Math.abs(level / price - 1) * 100).toFixed(2)} % to take-profit` : "";
}

function orderName(key) {
  if (key === "tp") return "Take-profit";
  if (key === "sl") return "Stop-loss";
  return key === "leg_0" ? "Leg 0 · entry" : `Leg ${key.slice(4)}`;
}

const level = (side) => (side ? number(side.price ?? side.trigger ?? "market") : "–");

function ladderRow(order) {
  const { planned, resting } = order;
  return make("tr", { "data-state": order.state },
    make("th", { scope: "row", title: resting?.client_id ?? "" }, orderName(order.key)),
    make("td", {}, make("span", { class: "pill", "data-state": order.state }, STATE_WORDS[order.state] ?? order.state)),
    make("td", { class: "n" }, level(planned)),
    make("td", { class: "n" }, number(planned?.quantity)),
    make("td", { class: "n" }, level(resting)),
    make("td", { class: "n" }, number(resting?.quantity)),
    make("td", { class: "n" }, number(order.filled ?? resting?.filled)));
}

function showLadder(orders) {
  byId("ladder").replaceChildren(...orders.map(ladderRow));
  byId("ladder").closest(".scroll").hidden = orders.length === 0;
  const empty = byId("ladder-empty");
  empty.hidden = orders.length > 0;
  say(empty, shown.running ? "No orders yet: the bot is looking at the market." : "No orders. Press 🚀 Start Bot to enter and rest the ladder, or look at the preview in Settings first.");
}

function showForeign(orders) {
  byId("foreign-part").hidden = orders.length === 0;
  byId("foreign").replaceChildren(...orders.map((order) => make("tr", {},
    make("td", {}, order.direction ?? "–"),
    make("td", { class: "n" }, level(order)),
    make("td", { class: "n" }, number(order.quantity)),
    make("td", {}, make("code", {}, order.client_id || "–")))));
}

function addLine(line) {
  if (line.id <= newestLine) return;
  newestLine = line.id;
  const feed = byId("feed");
  feed.prepend(make("li", { class: line.tone }, make("time", { datetime: `${line.at}Z`, title: `${line.at} UTC` }, moment(line.at)), make("span", {}, line.message)));
  while (feed.children.length > FEED_LINES_MAX) feed.lastElementChild.remove();
  byId("feed-empty").hidden = true;
}

const ACTION_WORDS = {
  checked_positions: "looked at the position", no_missing_orders: "nothing was missing",
  created_tp: "created the take-profit", created_sl: "created the stop-loss",
};
const inWords = (action) => ACTION_WORDS[action] ?? action.replace(/^created_leg_(\d+)$/, "created leg $1").replaceAll("_", " ");

async function command(button, method, path, body) {
  button.setAttribute("aria-busy", "true");
  const { ok, body: answer } = await call(method, path, body);
  button.removeAttribute("aria-busy");
  const faults = Object.entries(answer.errors ?? {}).map(([field, said]) => `${field}: ${said.join(" ")}`);
  const actions = answer.actions?.length ? `: ${answer.actions.map(inWords).join(", ")}` : "";
  const text = [`${answer.message ?? ""}${actions}`, ...faults].join("\n");
  answerWith(text, ok ? "good" : "bad");
  await refresh();
}

function answerWith(text, tone) {
  const box = byId("answer");
  box.hidden = false;
  box.className = `answer ${tone}`;
  say(box, text);
}

async function refresh() {
  const { ok, body } = await call("GET", "/api/bot/status");
  if (ok) show(body);
  return ok;
}

const STOPS = { pull: {}, keep: { legs: "keep" }, after_cycle: { when: "after_cycle" }, close: { position: "close" } };

async function stop() {
  const way = byId("stop-way").value;
  if (way === "close") {
    const position = shown.position;
    say(byId("close-what"), position ? `${number(position.quantity)} at about ${number(position.last_price)}` : "the whole position");
    if (!(await ask(byId("close-dialog")))) return;
  }
  await command(byId("stop"), "POST", "/api/bot/stop", STOPS[way]);
}

async function giveUp() {
  const { cycle, warning } = shown.unfinished;
  say(byId("give-up-title"), `Give up cycle ${cycle}?`);
  say(byId("give-up-words"), warning);
  say(byId("give-up-yes"), `Give up cycle ${cycle}`);
  if (await ask(byId("give-up-dialog"))) await command(byId("give-up"), "POST", "/api/bot/give_up", { cycle });
}

async function getStatus() {
  const ok = await refresh();
  const uptime = shown.running ? `, up ${duration(shown.uptime)}` : "";
  answerWith(ok ? `${STATUS_WORDS[shown.status] ?? shown.status}${uptime}. ${shown.message}` : "The server does not answer.", ok ? "good" : "bad");
}

/** Follow the stream; without it, ask every few seconds and try the stream again later. */
function follow() {
  const source = new EventSource(`/api/bot/events?after_id=${newestLine}`);
  let poll = 0;
  source.addEventListener("open", () => setLive("live", "good"));
  source.addEventListener("status", (event) => show(JSON.parse(event.data)));
  source.addEventListener("feed", (event) => addLine(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) {
      setLive("reconnecting…", "bad");
      return;
    }
    if (!poll) {
      poll = setInterval(pollOnce, POLL_MS);
      pollOnce();
    }
    setTimeout(() => { clearInterval(poll); follow(); }, STREAM_RETRY_MS);
  });
}

async function pollOnce() {
  const ok = await refresh();
  setLive(ok ? `every ${POLL_MS / 1000} s` : `no answer since ${duration(Math.floor((Date.now() - shownAt) / 1000))}`, ok ? "good" : "bad");
  const { ok: told, body } = await call("GET", `/api/bot/feed?after_id=${newestLine}`);
  if (told) body.rows.forEach(addLine);
}

function setLive(text, state) {
  say(byId("live"), text);
  byId("live").dataset.state = state;
}

byId("start").addEventListener("click", () => command(byId("start"), "POST", "/api/bot/start"));
byId("stop").addEventListener("click", stop);
byId("give-up").addEventListener("click", giveUp);
byId("status").addEventListener("click", getStatus);
byId("recover").addEventListener("click", () => command(byId("recover"), "POST", "/api/bot/recover"));
setInterval(showUptime, 1000);
byId("feed-empty").hidden = first.feed.length > 0;
first.feed.toReversed().forEach(addLine);
show(first.status);
follow();
