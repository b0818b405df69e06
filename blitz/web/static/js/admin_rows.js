// A row of the list of users: made once, then changed in place, so that focus, selection and scroll stay.
import { duration, exchangeName, make, moment, say, sideWord, signed, STATUS_WORDS, t, tone } from "./page.js";

const PROTECTION = {
  unseen: () => t("not looked yet"),
  no_position: () => t("no position"),
  protected: () => t("protected"),
  unprotected: () => t("UNPROTECTED"),
  unknown: () => t("unknown"),
};


/** The state of a position's protection, as a mark and since when. */
export function protectionWords(person) {
  const words = PROTECTION[person.protection]();
  return person.position && person.protection_since ? [words, t("since {time}", { time: moment(person.protection_since) })] : [words, ""];
}

export function protectionTone(person) {
  if (person.alarming) return "bad";
  return { protected: "good", unprotected: "warn", unknown: "warn" }[person.protection] ?? "plain";
}

/** A row with its commands; `on` has tick(id, checked) and run(command, id, button). */
export function makeRow(person, on, commands) {
  const { id, email } = person;
  const cell = (name, ...children) => make("td", { "data-cell": name }, ...children);
  const parts = {
    tick: make("input", { type: "checkbox", "aria-label": t("Select {email}", { email }), onchange: (event) => on.tick(id, event.currentTarget.checked) }),
    tags: make("span", {}),
    pill: make("span", { class: "pill" }),
    attention: make("span", { class: "attention" }),
    uptime: make("span", { class: "since" }),
    market: make("span", {}),
    venue: make("span", { class: "since" }),
    mode: make("span", { class: "mode-badge" }),
    legs: make("td", { "data-cell": "legs", class: "n" }),
    cover: make("span", { class: "cover" }),
    since: make("span", { class: "since" }),
    profit: make("td", { "data-cell": "profit", class: "n" }),
  };
  const buttons = commands.map(([command, words, kind]) =>
    make("button", { type: "button", class: `small ${kind}`, "data-command": command, "aria-label": t("{command}: {email}", { command: words, email }), onclick: (event) => on.run(command, id, event.currentTarget) }, words));
  const row = make("tr", { "data-id": String(id) },
    cell("tick", make("label", { class: "tick" }, parts.tick)), make("td", { "data-cell": "id", class: "n" }, String(id)),
    make("th", { scope: "row", "data-cell": "user" }, make("a", { href: `/admin/console/${id}` }, email), parts.tags),
    cell("bot", parts.pill, parts.uptime, parts.attention), cell("market", parts.market, parts.venue), cell("mode", parts.mode), parts.legs,
    cell("cover", parts.cover, parts.since), parts.profit, cell("commands", ...buttons));
  const made = { row, parts, person };
  changeRow(made, person);
  return made;
}

/** Show what is different now. */
export function changeRow(made, person) {
  const { row, parts } = made;
  made.person = person;
  row.dataset.alarm = String(person.alarming);
  say(parts.tags, [person.role === "admin" ? t("administrator") : "", person.active ? "" : t("disabled")].filter(Boolean).join(", "));
  say(parts.pill, STATUS_WORDS[person.status] ?? person.status);
  parts.pill.dataset.state = person.status;
  parts.pill.title = person.message;
  say(parts.attention, ["needs_attention", "error"].includes(person.status) ? person.message : "");
  parts.attention.title = parts.attention.textContent; // a long one is cut short in the list
  say(parts.uptime, person.running ? t("for {time}", { time: duration(person.uptime) }) : "");
  say(parts.market, person.symbol.split(":")[0]);
  say(parts.venue, `${sideWord(person.side)} · ${exchangeName(person.exchange)}`);
  say(parts.mode, person.mode.toUpperCase());
  parts.mode.dataset.mode = person.mode;
  say(parts.legs, person.cycle === null ? "–" : t("{filled} of {legs}", { filled: person.legs_filled, legs: person.legs }));
  const [words, since] = protectionWords(person);
  say(parts.cover, words);
  parts.cover.dataset.tone = protectionTone(person);
  parts.cover.title = person.protection_why;
  say(parts.since, since);
  say(parts.profit, signed(person.profit, 2));
  parts.profit.dataset.tone = tone(person.profit);
}
