// The admin console: totals, the list of users, and a view for everything else. Only what is seen is fetched.
import { byId, call, first, moment, say, signed, t, toast, tone } from "./page.js";
import { carryOut, confirmed, runMany, sentence } from "./admin_commands.js";
import { changeRow, makeRow } from "./admin_rows.js";
import { openView, refreshView, showServer } from "./admin_views.js";

const POLL_MS = 2500;
const TYPING_MS = 250;
const COMMANDS = [["start", t("Force Start"), ""], ["stop", t("Force Stop"), "danger"], ["reconcile", t("Reconcile"), ""]];

const rows = new Map();
const selected = new Set();
const names = new Map();
const asked = { sort: "id", order: "asc", page: 1 };
let [found, pages, newest] = [0, 1, 0];

const filters = byId("filters");
const nameOf = (id) => names.get(id) ?? `#${id}`;

function query(extra = {}) {
  const given = [...new FormData(filters), ...Object.entries(extra)].filter(([, value]) => value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

function showTotals(totals) {
  for (const name of ["users", "running", "positions", "unprotected", "attention"]) say(byId(`total-${name}`), String(totals[name]));
  byId("tile-unprotected").dataset.alarm = String(totals.unprotected > 0);
  byId("tile-attention").dataset.warn = String(totals.attention > 0);
  for (const mode of ["live", "demo", "paper"]) {
    say(byId(`profit-${mode}`), signed(totals.profit[mode], 2));
    byId(`profit-${mode}`).dataset.tone = tone(totals.profit[mode]);
  }
  say(byId("profit-note"), totals.profit.complete ? "" : t("still adding up…"));
  say(byId("live"), t("live, {time}", { time: moment(totals.at) }));
}

function showSelection() {
  for (const [id, { parts }] of rows) parts.tick.checked = selected.has(id);
  const here = [...rows.keys()].filter((id) => selected.has(id)).length;
  byId("tick-page").checked = here > 0 && here === rows.size;
  byId("tick-page").indeterminate = here > 0 && here < rows.size;
  say(byId("selected"), selected.size === 0 ? t("Nobody is selected.") : selected.size === 1 ? t("1 user is selected.") : t("{count} users are selected.", { count: selected.size }));
  say(byId("select-all"), t("Select all {count} found", { count: found }));
  byId("select-none").disabled = selected.size === 0;
  for (const button of document.querySelectorAll("[data-many]")) button.disabled = selected.size === 0;
}

const on = {
  tick(id, checked) {
    if (checked) selected.add(id);
    else selected.delete(id);
    showSelection();
  },
  async run(command, id, button) {
    const options = await confirmed(command, [id], nameOf(id));
    if (options === null) return;
    button.setAttribute("aria-busy", "true");
    const [result] = await carryOut(command, [id], options);
    button.removeAttribute("aria-busy");
    const label = COMMANDS.find(([name]) => name === command)[1];
    toast(`${label}, ${nameOf(id)}: ${sentence(result)}`, result.success ? "good" : "bad");
    await poll();
  },
};

function showPage(list) {
  ({ found, pages } = list);
  asked.page = list.page;
  const kept = list.rows.map((person) => {
    names.set(person.id, person.email);
    const made = rows.get(person.id) ?? makeRow(person, on, COMMANDS);
    changeRow(made, person);
    return [person.id, made];
  });
  rows.clear();
  for (const [id, made] of kept) rows.set(id, made);
  const body = byId("people-rows");
  const wanted = kept.map(([, { row }]) => row);
  if (wanted.length !== body.children.length || wanted.some((row, place) => body.children[place] !== row)) body.replaceChildren(...wanted);
  byId("nobody").hidden = found > 0;
  say(byId("found"), found === 1 ? t("1 user found.") : t("{count} users found.", { count: found }));
  say(byId("page-now"), t("Page {page} of {pages}", { page: list.page, pages }));
  byId("page-before").disabled = list.page <= 1;
  byId("page-after").disabled = list.page >= pages;
  showTotals(list.totals);
  showSelection();
}

async function list() {
  const mine = ++newest;
  const { ok, body } = await call("GET", `/admin/users?${query(asked)}`);
  if (mine !== newest) return;
  if (ok) showPage(body);
  else toast(body.message, "bad");
}

async function poll() {
  const mine = newest;
  const { ok, body } = await call("GET", `/admin/users/live?ids=${[...rows.keys()].join(",")}`);
  byId("live").dataset.state = ok ? "good" : "bad";
  if (!ok) {
    say(byId("live"), t("no answer"));
    return;
  }
  showTotals(body.totals);
  if (mine !== newest) return;
  for (const person of body.rows) if (rows.has(person.id)) changeRow(rows.get(person.id), person);
}

function toPage(page) {
  asked.page = page;
  return list();
}

let typing;
filters.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => toPage(1), TYPING_MS);
});
filters.addEventListener("reset", () => setTimeout(() => toPage(1)));
filters.addEventListener("submit", (event) => event.preventDefault());
byId("page-before").addEventListener("click", () => toPage(asked.page - 1));
byId("page-after").addEventListener("click", () => toPage(asked.page + 1));

for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const turned = asked.sort === button.dataset.sort && asked.order === "asc";
    [asked.sort, asked.order] = [button.dataset.sort, turned ? "desc" : "asc"];
    for (const head of document.querySelectorAll(".roster th[aria-sort]")) head.removeAttribute("aria-sort");
    button.closest("th").setAttribute("aria-sort", turned ? "descending" : "ascending");
    toPage(1);
  });
}
for (const tile of document.querySelectorAll(".totals a[data-status]")) {
  tile.addEventListener("click", () => {
    filters.reset();
    filters.elements.status.value = tile.dataset.status;
  });
}

byId("tick-page").addEventListener("change", (event) => {
  for (const id of rows.keys()) {
    if (event.currentTarget.checked) selected.add(id);
    else selected.delete(id);
  }
  showSelection();
});
byId("select-none").addEventListener("click", () => {
  selected.clear();
  showSelection();
});
byId("select-all").addEventListener("click", async () => {
  const { ok, body } = await call("GET", `/admin/users/ids?${query()}`);
  if (!ok) {
    toast(body.message, "bad");
    return;
  }
  for (const id of body.ids) selected.add(id);
  showSelection();
});
for (const button of document.querySelectorAll("[data-many]")) {
  button.addEventListener("click", async () => {
    for (const each of document.querySelectorAll("[data-many]")) each.disabled = true;
    await runMany(button.dataset.many, [...selected].sort((one, other) => one - other), nameOf);
    showSelection();
    await poll();
  });
}
byId("results-close").addEventListener("click", () => { byId("results").hidden = true; });

function go() {
  const wanted = location.hash.slice(1);
  const views = [...document.querySelectorAll(".view")];
  const name = views.some((view) => view.id === `view-${wanted}`) ? wanted : "users";
  for (const view of views) view.hidden = view.id !== `view-${name}`;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  openView(name);
}
addEventListener("hashchange", go);

showServer(first.server);
showPage(first.list);
go();
let ticks = 0;
setInterval(() => {
  if (document.hidden) return;
  poll();
  ticks += 1;
  refreshView(ticks);
}, POLL_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
