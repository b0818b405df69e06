// The control page: shows what the bot last published, and sends the four commands.
import { averageOf, lastPriceOf, levelsOf, showForeign, showLadder } from "./ladder.js";
import { follow } from "./live.js";
import { ask, byId, call, duration, exchangeName, first, make, moment, number, say, showStrip, sideWord, signed, STATUS_WORDS, t, tone } from "./page.js";
import { protectionWords } from "./protection.js";

const FEED_LINES_MAX = 200;
const PREVIEW_MS = 30000;
const ANSWER_MS = 10000;
const BUSY = new Set(["starting", "running", "stopping", "stopping_after_cycle", "needs_attention"]);
const FILLED = new Set(["leg_filled", "cycle_closed", "traded_by_hand", "liquidated", "deleveraged"]);

let shown = first.status;
let shownAt = Date.now();
let newestLine = 0;
let preview = null;
let wasLiquidated = false; // the newest cycle was, and nobody may read that as a plain stop
let chart = null; // comes behind the figures and the buttons: nobody waits for its library

function show(status) {
  shown = status;
  shownAt = Date.now();
  keepStripTrue(status);
  showState(status);
  showUnfinished(status.unfinished);
  showProtection(status);
  showFigures(status);
  showOrders(status);
  showTitle(status);
  dropOldAnswer();
}

function showOrders(status) {
  const isPlanned = !status.cycle && !(status.orders ?? []).length && preview;
  showLadder(status, isPlanned ? preview : null);
  showForeign(status.foreign_orders ?? []);
  drawOrders(status, isPlanned ? preview : null);
}

function drawOrders(status, planned) {
  if (!chart) return;
  chart.showLevels(levelsOf(status, planned));
  chart.hasLivePrice = Boolean(status.running && status.position?.last_price);
  if (chart.hasLivePrice) chart.showPrice(status.position.last_price);
}

async function draw() {
  const { Chart } = await import("./chart.js");
  chart = new Chart(byId("chart"));
  chart.onPrice = (price) => { if (!shown.position?.last_price) say(byId("price"), number(price)); };
  chart.loadFills(marketOf(shown));
  showOrders(shown);
}

/** A bot that begins or ends, or a cycle in another mode, changes whose money it is. */
let tradedAs = null;
async function keepStripTrue(status) {
  const now = `${status.exchange} ${status.mode} ${Boolean(status.running)} ${Boolean(status.cycle)} ${status.symbol}`;
  const isNew = tradedAs !== null && tradedAs !== now;
  const isOther = isNew && !tradedAs.endsWith(` ${status.symbol}`);
  tradedAs = now;
  if (!isNew) return;
  if (isOther) chart?.load();
  const { ok, body } = await call("GET", "/api/bot/settings");
  if (ok) showStrip(body.strip);
  loadPreview();
}

/** What Start would place, while there is no cycle. */
async function loadPreview() {
  if (shown.cycle || document.hidden) return;
  const { ok, body } = await call("POST", "/api/bot/preview", {});
  preview = ok ? body : null;
  if (ok && !shown.position?.last_price) say(byId("price"), number(body.price));
  showOrders(shown);
}

function showTitle(status) {
  const alarm = byId("protection").dataset.state === "no" ? "⚠ " : "";
  const base = (status.symbol ?? first.settings.symbol).split("/")[0];
  const price = status.position?.last_price ? ` ${number(status.position.last_price)}` : "";
  const mode = (status.mode ?? first.settings.mode).toUpperCase();
  const title = `${alarm}${stateWord(status)} · ${base}${price} · ${mode} · Blitz`;
  if (document.title !== title) document.title = title;
}

/** What a bot waits for that has nothing else to say: the first thing that somebody wants to know who looks. */
function doing(status) {
  if (status.status !== "running" || status.message !== t("Bot is running") || !status.position) return null;
  const { take_profit: exit, stop_loss: stop, next_leg: leg } = status.distances ?? {};
  const words = { exit: number(exit?.price), stop: number(stop?.price), leg: number(leg?.price) };
  if (exit && leg) return t("Waits for the take-profit at {exit}; the next leg fills at {leg}.", words);
  if (exit) return t("Every leg is filled. Waits for the take-profit at {exit}.", words);
  if (stop) return t("Waits for the stop-loss at {stop}; no take-profit is set.", words);
  return null;
}

/** The state in a word or two; a bot that runs to the end of its cycle is about to stop. */
function stateWord(status) {
  const isLast = status.message === t("Bot is running; it stops when this cycle is finished");
  return STATUS_WORDS[isLast ? "stopping_after_cycle" : status.status] ?? status.status;
}

function showState(status) {
  const settings = first.settings;
  byId("state-dot").dataset.status = status.status;
  say(byId("state-word"), stateWord(status));
  say(byId("state-message"), status.attention?.message ?? doing(status) ?? status.message ?? "");
  if (wasLiquidated && status.status === "stopped") byId("state-dot").dataset.status = "error";
  byId("state-message").classList.toggle("bad-text", Boolean(status.attention) || byId("state-dot").dataset.status === "error");
  const side = status.side ?? settings.side;
  say(byId("market-line"), `${(status.symbol ?? settings.symbol).split(":")[0]} · ${sideWord(side)} · ${number(status.position?.leverage ?? settings.leverage)}× · ${exchangeName(status.exchange ?? settings.exchange)}`);
  const running = BUSY.has(status.status);
  byId("start").classList.toggle("primary", !running);
  byId("start").disabled = running;
  byId("stop").disabled = !running;
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
  say(byId("uptime"), shown.running ? t("up {time}", { time: duration(shown.uptime + since) }) : "");
}

function showProtection(status) {
  const { state, word, why, remedy } = protectionWords(status);
  const box = byId("protection");
  box.dataset.state = state;
  box.toggleAttribute("data-incident", Boolean(status.protected?.incident));
  say(byId("protection-word"), word);
  say(byId("protection-why"), why);
  say(byId("protection-do"), remedy ?? "");
}

function showFigures(status) {
  const { position, cycle, profit, distances = {} } = status;
  const [base, quote] = (status.symbol ?? first.settings.symbol).split(":")[0].split("/");
  const flat = status.looked_at ? t("flat") : "–";
  const seen = !status.running && status.looked_at ? t("as last seen {time}", { time: moment(status.looked_at) }) : "";
  if (position?.last_price) say(byId("price"), lastPriceOf(status));
  say(byId("price-sub"), lines(
    distances.take_profit && t("{percent} % to take-profit", distances.take_profit),
    distances.next_leg && t("{percent} % to the next leg", distances.next_leg),
    distances.stop_loss && t("{percent} % to stop-loss", distances.stop_loss)));
  say(byId("position"), position ? `${number(position.quantity)} ${base}` : flat);
  say(byId("position-sub"), lines(
    position && t("average {price}", { price: averageOf(status) }),
    position?.margin && t("margin {margin} {quote}", { margin: number(position.margin, 2), quote }), seen));
  setMoney(byId("unrealised"), position?.unrealised);
  say(byId("unrealised-sub"), lines(
    position?.roe_percent && t("{percent} % of margin (ROE)", { percent: signed(position.roe_percent, 2) }),
    position?.liquidation && t("liquidation ≈ {price}", { price: number(position.liquidation) }),
    distances.liquidation && t("{percent} % away", distances.liquidation)));
  say(byId("cycle"), cycle ? `#${cycle.number}` : "–");
  say(byId("cycle-sub"), cycle ? lines(t("{filled} of {legs} legs filled", { filled: cycle.legs_filled, legs: cycle.legs }), t("since {time}", { time: moment(cycle.started_at) })) : t("no open cycle"));
  setMoney(byId("net"), profit?.net);
  const cycles = profit?.cycles === 1 ? t("1 cycle") : t("{count} cycles", { count: profit?.cycles ?? 0 });
  say(byId("net-sub"), profit ? lines(`${quote} · ${cycles}`, t("fees {fees}, funding {funding}", { fees: number(profit.fees, 2), funding: number(profit.funding, 2) })) : "");
}

const lines = (...parts) => parts.filter(Boolean).join("\n");

function setMoney(element, value) {
  say(element, signed(value, 2));
  element.dataset.tone = tone(value);
}

let fillsSoon = 0;
function addLine(line) {
  if (line.id <= newestLine) return;
  newestLine = line.id;
  const feed = byId("feed");
  feed.prepend(make("li", { class: line.tone }, make("time", { datetime: `${line.at}Z`, title: `${line.at} UTC` }, moment(line.at)), make("span", {}, line.message)));
  while (feed.children.length > FEED_LINES_MAX) feed.lastElementChild.remove();
  byId("feed-empty").hidden = true;
  if (line.kind === "liquidated" || line.kind === "cycle_started") {
    wasLiquidated = line.kind === "liquidated";
    showState(shown);
  }
  if (!FILLED.has(line.kind)) return;
  clearTimeout(fillsSoon);
  fillsSoon = setTimeout(() => chart?.loadFills(marketOf(shown)), 300);
}

const marketOf = (status) => status.symbol ?? first.settings.symbol;

function inWords(action) {
  const words = {
    checked_positions: t("looked at the position"), no_missing_orders: t("nothing was missing"),
    created_tp: t("created the take-profit"), created_sl: t("created the stop-loss"),
  };
  const leg = /^created_leg_(\d+)$/.exec(action);
  return leg ? t("created leg {leg}", { leg: leg[1] }) : words[action] ?? action.replaceAll("_", " ");
}

async function command(button, method, path, body) {
  button.setAttribute("aria-busy", "true");
  const { ok, body: answer } = await call(method, path, body);
  button.removeAttribute("aria-busy");
  const faults = Object.entries(answer.errors ?? {}).map(([field, said]) => `${field}: ${said.join(" ")}`);
  answerWith(answer.message ?? "", [...(answer.actions ?? []).map(inWords), ...faults], ok ? "good" : "bad");
  await refresh();
}

let answered = null;
const stateNow = () => `${shown.status} ${shown.attention?.code} ${shown.protected?.state} ${shown.cycle?.number}`;

/** An answer is true of the moment it came: once the bot is in another state it would only mislead. */
function dropOldAnswer() {
  if (!answered || byId("answer").hidden) return;
  if (Date.now() - answered.at < ANSWER_MS) answered.state = stateNow(); // what it brought about still belongs to it
  else byId("answer").hidden = answered.state !== stateNow();
}

function answerWith(message, list, tone) {
  answered = { at: Date.now(), state: stateNow() };
  const box = byId("answer");
  box.hidden = false;
  box.className = `answer ${tone}`;
  const parts = list.length ? make("ul", {}, ...list.map((each) => make("li", {}, each))) : null;
  box.replaceChildren(...[make("time", {}, moment(new Date().toISOString())), make("p", {}, message), parts].filter(Boolean));
}

async function refresh() {
  const { ok, body } = await call("GET", "/api/bot/status");
  if (ok) show(body);
  return ok;
}

async function start() {
  if ((shown.mode ?? first.settings.mode) === "live" && !(await ask(startDialog()))) return;
  await command(byId("start"), "POST", "/api/bot/start");
}

function startDialog() {
  const leg = preview?.legs?.[0];
  say(byId("start-words"), shown.cycle || !leg
    ? t("The bot goes on with what is open on your exchange account, and places orders there.")
    : t("Leg 0 enters {symbol} at market at once: {quantity}, about {margin} USDT of margin. With all legs filled the ladder takes {total} USDT.",
      { symbol: preview.symbol, quantity: number(leg.quantity), margin: number(leg.margin, 2), total: number(preview.total.margin, 2) }));
  return byId("start-dialog");
}

const STOPS = { pull: {}, keep: { legs: "keep" }, after_cycle: { when: "after_cycle" }, close: { position: "close" } };

async function stop() {
  const position = shown.position;
  const what = position ? t("{quantity} at about {price}", { quantity: number(position.quantity), price: number(position.last_price) }) : t("the whole position");
  say(byId("close-words"), t("Sells or buys back {what}, whatever it brings. Asks once more.", { what }));
  if (!(await ask(byId("stop-dialog")))) return;
  const way = byId("stop-dialog").querySelector("input:checked").value;
  if (way === "close") {
    say(byId("close-what"), t("The bot takes back its orders and closes {what} at the market price.", { what }));
    if (!(await ask(byId("close-dialog")))) return;
  }
  await command(byId("stop"), "POST", "/api/bot/stop", STOPS[way]);
}

async function giveUp() {
  const { cycle, warning } = shown.unfinished;
  say(byId("give-up-title"), t("Give up cycle {cycle}?", { cycle }));
  say(byId("give-up-words"), warning);
  say(byId("give-up-yes"), t("Give up cycle {cycle}", { cycle }));
  if (await ask(byId("give-up-dialog"))) await command(byId("give-up"), "POST", "/api/bot/give_up", { cycle });
}

/** The whole state in sentences: what one would read out to somebody on the phone. */
async function getStatus() {
  byId("status").setAttribute("aria-busy", "true");
  const ok = await refresh();
  byId("status").removeAttribute("aria-busy");
  if (!ok) return answerWith(t("The server does not answer."), [], "bad");
  const word = stateWord(shown);
  const { position, cycle, profit } = shown;
  const told = protectionWords(shown);
  answerWith(shown.running ? t("{status}, up {time}. {message}", { status: word, time: duration(shown.uptime), message: shown.message }) : `${word}. ${shown.message}`, [
    cycle && t("Cycle {number}: {filled} of {legs} legs filled.", { number: cycle.number, filled: cycle.legs_filled, legs: cycle.legs }),
    position && t("Position {quantity} at an average of {average}, unrealised {unrealised} USDT.", { quantity: number(position.quantity), average: averageOf(shown), unrealised: signed(position.unrealised, 2) }),
    [`${told.word}: ${told.why}`, told.remedy].filter(Boolean).join(" "),
    profit && t("Net profit {net} USDT in all cycles.", { net: signed(profit.net, 2) }),
  ].filter(Boolean), "good");
}

// They come disabled: a press before anybody listens would be lost.
for (const name of ["status", "recover"]) byId(name).disabled = false;
byId("start").addEventListener("click", start);
byId("stop").addEventListener("click", stop);
byId("give-up").addEventListener("click", giveUp);
byId("status").addEventListener("click", getStatus);
byId("recover").addEventListener("click", () => command(byId("recover"), "POST", "/api/bot/recover"));
setInterval(showUptime, 1000);
setInterval(loadPreview, PREVIEW_MS);
byId("feed-empty").hidden = first.feed.length > 0;
first.feed.toReversed().forEach(addLine);
show(first.status);
loadPreview();
draw();
follow({ status: show, feed: addLine }, () => newestLine);
