// One user for an administrator: the bot, its orders, the feed, the settings, and the commands.
import { ask, byId, call, duration, exchangeName, first, make, marginWord, moment, number, say, sideWord, signed, STATUS_WORDS, t, toast } from "./page.js";
import { carryOut, confirmed, sentence } from "./admin_commands.js";
import { showLink } from "./admin_links.js";
import { protectionTone, protectionWords } from "./admin_rows.js";

const POLL_MS = 2500;
const { id, email } = first.person;
let person = first.person;

function orderName(key) {
  if (key.startsWith("leg_")) return t("Leg {number}", { number: key.slice(4) });
  return { tp: t("Take-profit"), sl: t("Stop-loss") }[key] ?? key;
}

const STATES = { planned: () => t("planned"), resting: () => t("resting"), filled: () => t("filled"), missing: () => t("missing"), unknown: () => t("unknown") };

function orderRow(order) {
  const shown = order.resting ?? order.planned ?? {};
  const cells = [shown.price ?? shown.trigger, shown.quantity, order.filled];
  return make("tr", {}, make("th", { scope: "row" }, orderName(order.key)), make("td", {}, make("span", { class: "pill", "data-state": order.state }, (STATES[order.state] ?? (() => order.state))())), ...cells.map((value) => make("td", { class: "n" }, number(value))));
}

function facts(settings) {
  const yes = (value) => (value ? t("yes") : t("no"));
  return [
    [t("Exchange"), exchangeName(settings.exchange)], [t("Mode"), settings.mode.toUpperCase()], [t("Market"), settings.symbol.split(":")[0]], [t("Side"), sideWord(settings.side)],
    [t("Leverage"), number(settings.leverage)], [t("Margin mode"), marginWord(settings.margin_mode)], [t("Take-profit, ROE %"), number(settings.take_profit)], [t("Stop-loss, ROE %"), number(settings.stop_loss)],
    [t("Rounds"), String(settings.rounds)], [t("Repeat"), yes(settings.repeat)], [t("API key"), settings.api_key || t("none")], [t("May trade real money"), yes(settings.armed)], [t("Telegram"), yes(settings.telegram_stored)],
    [t("Margin of the legs, USDT"), settings.grids.map((row) => number(row.amount)).join(" / ")], [t("Gaps, %"), settings.grids.slice(1).map((row) => number(row.gap)).join(" / ") || "–"],
  ].flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
}

function show(detail) {
  person = detail.person;
  const tags = [
    make("span", { class: "pill", "data-state": person.status }, STATUS_WORDS[person.status] ?? person.status),
    make("span", { class: "mode-badge", "data-mode": person.mode }, person.mode.toUpperCase()),
    make("span", { class: "tag" }, person.role === "admin" ? t("administrator") : t("trader")),
    person.active ? null : make("span", { class: "tag bad" }, t("disabled")),
    make("span", {}, [person.symbol.split(":")[0], sideWord(person.side), exchangeName(person.exchange)].join(" · ")),
    person.running ? make("span", { class: "muted" }, t("up {time}", { time: duration(person.uptime) })) : null,
    person.cycle === null ? null : make("span", { class: "muted" }, t("cycle {number}, {filled} of {legs} legs filled", { number: person.cycle, filled: person.legs_filled, legs: person.legs })),
    make("span", { class: "muted" }, t("net profit {profit} USDT", { profit: signed(person.profit, 2) })),
  ].filter(Boolean);
  byId("badges").replaceChildren(...tags);
  say(byId("message"), person.message);
  const [words, since] = protectionWords(person);
  say(byId("protection"), [words, since, person.protection_why].filter(Boolean).join(" · "));
  byId("protection").className = `notice ${protectionTone(person)}`;
  byId("orders").replaceChildren(...detail.bot.orders.map(orderRow));
  byId("no-orders").hidden = detail.bot.orders.length > 0;
  byId("feed").replaceChildren(...detail.feed.map((line) => make("li", { class: line.tone }, make("time", {}, moment(line.at)), make("span", {}, line.message))));
  byId("no-feed").hidden = detail.feed.length > 0;
  byId("settings").replaceChildren(...facts(detail.settings));
  byId("disable").hidden = byId("reset-link").hidden = !person.active;
  byId("enable").hidden = person.active;
  say(byId("live"), t("live, {time}", { time: moment(new Date().toISOString()) }));
}

async function refresh() {
  const { ok, body } = await call("GET", `/admin/users/${id}`);
  byId("live").dataset.state = ok ? "good" : "bad";
  if (ok) show(body);
  else say(byId("live"), t("no answer"));
}

function answer(text, isGood) {
  byId("answer").hidden = false;
  byId("answer").className = `answer ${isGood ? "good" : "bad"}`;
  say(byId("answer"), text);
}

for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", async () => {
    const options = await confirmed(button.dataset.command, [id], email);
    if (options === null) return;
    button.setAttribute("aria-busy", "true");
    const [result] = await carryOut(button.dataset.command, [id], options);
    button.removeAttribute("aria-busy");
    answer(sentence(result), result.success);
    await refresh();
  });
}

byId("reset-link").addEventListener("click", async () => {
  const { ok, body } = await call("POST", `/admin/users/${id}/link`);
  if (ok) await showLink(body);
  else toast(body.message, "bad");
});

async function setAccess(body) {
  const told = await call("POST", `/admin/users/${id}/access`, body);
  answer(told.body.message, told.ok);
  await refresh();
}

byId("disable").addEventListener("click", async () => {
  byId("disable-stop").checked = false;
  byId("disable-stop-part").hidden = !person.running;
  say(byId("disable-words"), person.running
    ? t("{email} is signed out everywhere at once and cannot sign in. The bot goes on and keeps its position protected until the server restarts; after that it stays stopped, with its exits resting at the exchange.", { email })
    : t("{email} is signed out everywhere at once and cannot sign in. The bot does not run.", { email }));
  if (await ask(byId("disable-dialog"))) await setAccess({ active: false, stop: byId("disable-stop").checked });
});
byId("enable").addEventListener("click", () => setAccess({ active: true }));

show(first);
setInterval(() => { if (!document.hidden) refresh(); }, POLL_MS);
