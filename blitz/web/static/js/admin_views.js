// The other views of the console: people, problems, exchanges, notices, the record. Each is fetched when it is opened.
import { byId, call, duration, make, moment, number, say, t, toast } from "./page.js";
import { showLink } from "./admin_links.js";

const SLOW_TICKS = 4;
let current = "users";

const ACTIONS = {
  force_start: () => t("Force Start"), force_stop: () => t("Force Stop"), reconcile: () => t("Reconcile"),
  create_user: () => t("Created a user"), invite: () => t("Invited somebody"), reset_link: () => t("Made a link for a lost password"),
  take_back_link: () => t("Took a link back"), disable: () => t("Disabled"), enable: () => t("Enabled"),
  maintenance: () => t("Maintenance"), banner: () => t("Banner"),
};

export function openView(name) {
  current = name;
  if (name === "people") showLinks();
  if (name === "problems") problems.open();
  if (name === "record") record.open();
  if (name === "exchanges" || name === "maintenance") refreshServer();
}

/** Called with every poll: exchanges each time, the rest now and then. */
export function refreshView(ticks) {
  if (current === "exchanges" || ticks % SLOW_TICKS === 0) refreshServer();
  if (current === "problems" && ticks % SLOW_TICKS === 0) problems.refresh();
  if (current === "record" && ticks % SLOW_TICKS === 0) record.refresh();
}

async function refreshServer() {
  const { ok, body } = await call("GET", "/admin/server");
  if (ok) showServer(body);
}

const HEALTH = { ready: () => t("Ready"), shutting_down: () => t("Shutting down"), database_unavailable: () => t("The database does not answer") };

export function showServer(server) {
  say(byId("server-health"), (HEALTH[server.health] ?? (() => server.health))());
  const size = server.database_bytes === null ? t("database server") : t("database {size} MB", { size: number((server.database_bytes / 1e6).toFixed(1)) });
  say(byId("server-facts"), t("Blitz {version}, up {time}, {size}", { version: server.version, time: duration(server.uptime), size }));
  byId("venues").replaceChildren(...server.venues.map(venueRow));
  byId("no-venues").hidden = server.venues.length > 0;
  say(byId("streams"), server.streams === null
    ? t("This server has no streams: every bot asks its exchange again and again.")
    : t("Streams: {ready} connections are up, {waiting} wait to be opened, {reconnects} were opened again since the start. {bots_told} bots are told at once of what happens.", server.streams));
  for (const name of ["maintenance", "banner"]) showNotice(name, server.notices.find((notice) => notice.name === name));
}

function venueState(venue) {
  if (venue.banned_seconds > 0) return ["bad", t("Shuts this server out for {time} more; nothing is sent before.", { time: duration(Math.ceil(venue.banned_seconds)) })];
  if (venue.users_shut_out > 0) return ["warn", t("Lets this server in; {count} users have to wait for their own limit.", { count: venue.users_shut_out })];
  return ["good", t("Lets this server in")];
}

function venueRow(venue) {
  const [tone, words] = venueState(venue);
  const used = venue.counts ? t("{used} of {limit} in {seconds} s", { used: venue.used, limit: venue.limit, seconds: venue.window_seconds }) : t("not counted");
  const waiting = Object.values(venue.waiting).reduce((sum, count) => sum + count, 0);
  const cells = [used, venue.in_flight, waiting, number(String(venue.sent)), number(String(venue.not_sent))];
  return make("tr", {}, make("th", { scope: "row" }, venue.venue), make("td", { class: "words" }, make("span", { class: "cover", "data-tone": tone }, words)), ...cells.map((text) => make("td", { class: "n" }, String(text))));
}

function showNotice(name, notice) {
  const since = notice ? moment(notice.since) : "";
  const stands = { maintenance: () => t("Maintenance since {since}: {message}", { since, message: notice.message }), banner: () => t("Shown since {since}: {message}", { since, message: notice.message }) };
  const rests = { maintenance: () => t("No maintenance: bots can be started."), banner: () => t("No banner is shown.") };
  say(byId(`${name}-state`), (notice ? stands : rests)[name]());
  byId(`${name}-end`).hidden = !notice;
}

async function sayNotice(name, message) {
  const { ok, body } = await call("PUT", `/admin/server/notices/${name}`, { message });
  if (!ok) toast(body.errors?.message?.[0] ?? body.message, "bad");
  dispatchEvent(new Event("blitz:notices"));
  await refreshServer();
}

for (const name of ["maintenance", "banner"]) {
  byId(`${name}-form`).addEventListener("submit", (event) => {
    event.preventDefault();
    sayNotice(name, event.currentTarget.elements.message.value);
  });
  byId(`${name}-end`).addEventListener("click", () => sayNotice(name, ""));
}

/** A list that grows towards the past. `lines` makes elements of rows; the newest page is looked at again now and then. */
function growing(path, body, empty, older, line) {
  let [next, isPaged] = [null, false];
  const fetchPage = async (before) => {
    const answer = await call("GET", before ? `${path}?before_id=${before}` : path);
    if (!answer.ok) {
      toast(answer.body.message, "bad");
      return;
    }
    next = answer.body.next_before_id;
    const lines = answer.body.rows.map(line);
    if (before) byId(body).append(...lines);
    else byId(body).replaceChildren(...lines);
    byId(empty).hidden = byId(body).children.length > 0;
    byId(older).hidden = next === null;
  };
  byId(older).addEventListener("click", () => {
    isPaged = true;
    fetchPage(next);
  });
  return {
    open: () => {
      isPaged = false;
      return fetchPage(null);
    },
    refresh: () => (isPaged || byId(body).contains(document.activeElement) ? null : fetchPage(null)),
  };
}

const problems = growing("/admin/server/problems", "problem-lines", "no-problems", "problems-older", (row) =>
  make("li", { class: row.tone }, make("time", {}, moment(row.at)), make("a", { href: `/admin/console/${row.user_id}` }, row.email), make("span", {}, row.message)));

const record = growing("/admin/server/acts", "act-rows", "no-acts", "acts-older", (row) =>
  make("tr", {}, make("td", {}, moment(row.at)), make("td", {}, row.admin || `#${row.admin_id}`), make("td", {}, (ACTIONS[row.action] ?? (() => row.action))()),
    make("td", {}, row.user_id === null ? "–" : make("a", { href: `/admin/console/${row.user_id}` }, row.user || `#${row.user_id}`)), make("td", { class: "words" }, row.outcome)));

async function showLinks() {
  const { ok, body } = await call("GET", "/admin/users/invitations");
  if (!ok) return;
  const line = (link) => make("li", {}, make("span", {}, make("strong", {}, link.email), " ", kindOf(link), " ", t("until {time}", { time: moment(link.expires_at) })),
    make("button", { type: "button", class: "small danger", "aria-label": t("Take back the link of {email}", { email: link.email }), onclick: () => takeBack(link.id) }, t("Take back")));
  byId("links").replaceChildren(...body.rows.map(line));
  byId("no-links").hidden = body.rows.length > 0;
}

function kindOf(link) {
  return { trader: t("invited as a trader"), admin: t("invited as an administrator") }[link.role] ?? t("may set a new password");
}

async function takeBack(id) {
  const { ok, body } = await call("DELETE", `/admin/users/invitations/${id}`);
  toast(body.message, ok ? "good" : "bad");
  await showLinks();
}

function fieldFaults(form, errors = {}) {
  for (const old of form.querySelectorAll(".fault")) old.remove();
  for (const input of form.querySelectorAll("input")) {
    const faults = errors[input.name];
    input.toggleAttribute("aria-invalid", Boolean(faults));
    input.removeAttribute("aria-describedby");
    if (!faults) continue;
    const fault = make("span", { class: "fault", id: `${form.id}-${input.name}-fault` }, faults.join(" "));
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", fault.id);
    input.after(fault);
  }
  form.querySelector("[aria-invalid=true]")?.focus();
}

function onSubmit(id, path, done) {
  const form = byId(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { ok, body } = await call("POST", path, Object.fromEntries(new FormData(form)));
    fieldFaults(form, ok ? {} : body.errors);
    if (ok) {
      form.reset();
      done(body);
    } else if (!body.errors) toast(body.message, "bad");
  });
}

onSubmit("invite-form", "/admin/users/invitations", async (link) => {
  await showLink(link);
  await showLinks();
});
onSubmit("create-form", "/admin/users", (body) => toast(body.message, "good"));
