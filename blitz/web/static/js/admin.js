// The admin console: every user, the live state of their bots, and three commands for each.
import { ask, byId, call, duration, first, make, moment, say, STATUS_WORDS, toast } from "./page.js";

const POLL_MS = 3000;
const rows = new Map();

function personRow(user) {
  const command = (label, path, kind = "") => make("button", { type: "button", class: `small ${kind}`, "data-command": path, onclick: (event) => run(event.currentTarget, user, label, path) }, label);
  const state = make("td", {}, make("span", { class: "pill" }));
  const uptime = make("td", { class: "n" }, "–");
  const badges = [user.role === "admin" ? make("span", { class: "tag" }, "admin") : null, user.active ? null : make("span", { class: "tag bad" }, "disabled")];
  const row = make("tr", {}, make("td", { class: "n" }, String(user.id)), make("th", { scope: "row" }, user.email, " ", ...badges), state, uptime,
    make("td", {}, `${user.symbol} · ${user.side}`), make("td", {}, make("span", { class: "mode-badge", "data-mode": user.mode }, user.mode.toUpperCase())),
    make("td", { class: "row" }, command("Force Start", "start"), command("Force Stop", "stop", "danger"), command("Reconcile", "recover")));
  rows.set(String(user.id), { row, pill: state.firstChild, uptime, text: `${user.id} ${user.email} ${user.symbol}`.toLowerCase() });
  return row;
}

function show(status) {
  for (const [id, parts] of rows) {
    const bot = status.users[id] ?? { running: false, status: "not_running", uptime: 0 };
    parts.pill.dataset.state = bot.status;
    say(parts.pill, STATUS_WORDS[bot.status] ?? bot.status);
    say(parts.uptime, bot.running ? duration(bot.uptime) : "–");
  }
  say(byId("total-users"), String(first.users.length));
  say(byId("total-managed"), String(status.totals.total_managed));
  say(byId("total-running"), String(status.totals.total_running));
  say(byId("as-of"), moment(status.totals.timestamp));
}

async function run(button, user, label, path) {
  if (path === "stop") {
    say(byId("stop-who"), user.email);
    if (!(await ask(byId("stop-dialog")))) return;
  }
  button.setAttribute("aria-busy", "true");
  const { ok, body } = await call("POST", `/admin/users/${user.id}/${path}`);
  button.removeAttribute("aria-busy");
  const actions = body.actions?.length ? ` (${body.actions.join(", ")})` : "";
  toast(`${label}, ${user.email}: ${body.message}${actions}`, ok ? "good" : "bad");
  await poll();
}

async function poll() {
  const { ok, body } = await call("GET", "/admin/simple/status");
  if (ok) show(body);
  say(byId("live"), ok ? "live" : "no answer");
  byId("live").dataset.state = ok ? "good" : "bad";
}

byId("search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  let visible = 0;
  for (const { row, text } of rows.values()) {
    row.hidden = !text.includes(wanted);
    visible += row.hidden ? 0 : 1;
  }
  byId("nobody").hidden = visible > 0;
});
byId("people").replaceChildren(...first.users.map(personRow));
show(first.status);
say(byId("live"), "live");
byId("live").dataset.state = "good";
setInterval(() => { if (!document.hidden) poll(); }, POLL_MS);
