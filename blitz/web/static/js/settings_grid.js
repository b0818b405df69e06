// The legs as a table that can be edited: add, remove, insert, duplicate, move. Every change tells the form.
import { byId, make, number, say, t } from "./page.js";

const body = byId("grid");
const rounds = document.querySelector('input[name="rounds"]');
let changed = () => {};

const legs = () => [...body.querySelectorAll("tr.leg")];
const inputs = (row) => row.querySelectorAll("input");
const under = (row) => row.nextElementSibling;

/** Have `work` called after every change that a button makes. */
export function onChange(work) {
  changed = work;
}

export function fillGrid(grids) {
  body.replaceChildren(...grids.flatMap((row) => legRows(row.amount, row.gap)));
  renumber();
}

export function readGrid() {
  return legs().map((row, index) => {
    const [amount, gap] = inputs(row);
    return { amount: amount.value.trim(), gap: index === 0 ? "0" : gap.value.trim() };
  });
}

// Two rows for each leg: what is entered, and what is said about it.
function legRows(amount = "", gap = "") {
  const row = make("tr", { class: "leg" }, make("th", { scope: "row" }),
    make("td", {}, make("input", { inputmode: "decimal", "data-part": "amount", value: amount })),
    make("td", {}, make("input", { inputmode: "decimal", "data-part": "gap", value: gap })),
    make("td", { class: "n share" }),
    make("td", { class: "acts" },
      act("up", "↑", (at) => move(at, at - 1)), act("down", "↓", (at) => move(at, at + 1)),
      act("insert", "+", (at) => insert(at, "", "")), act("copy", copySign(), duplicate),
      act("remove", "×", remove)));
  return [row, make("tr", { class: "about" }, make("td", { colspan: "5" },
    make("span", { class: "fault", role: "alert" }), make("span", { class: "doubt" })))];
}

// Fonts have no sign for it that all of them share.
const copySign = () => byId("copy-sign").content.cloneNode(true);

function act(name, sign, work) {
  return make("button", { type: "button", class: "icon-button", "data-act": name,
    onclick: (event) => work(legs().indexOf(event.currentTarget.closest("tr"))) }, sign);
}

const values = (at) => [...inputs(legs()[at])].map((input) => input.value);

function move(from, to) {
  const all = legs().map((_, at) => values(at));
  [all[from], all[to]] = [all[to], all[from]];
  if (from === 0 || to === 0) [all[from][1], all[to][1]] = [all[to][1], all[from][1]];  // leg 0 has no gap to give away
  legs().forEach((row, at) => inputs(row).forEach((input, part) => { input.value = all[at][part]; }));
  settle(to, to < from ? "up" : "down");
}

// Leg 0 has no gap of its own: its copy takes that of the leg after it.
function duplicate(at) {
  const [amount, gap] = values(at);
  insert(at, amount, at === 0 ? (legs()[1] ? values(1)[1] : "1") : gap);
}

function insert(at, amount, gap) {
  const everyLeg = usesEveryLeg();
  under(legs()[at]).after(...legRows(amount, gap));
  if (everyLeg) rounds.value = legs().length;
  settle(at + 1);
}

function remove(at) {
  const everyLeg = usesEveryLeg();
  const row = legs()[at];
  under(row).remove();
  row.remove();
  if (everyLeg) rounds.value = legs().length;
  settle(Math.min(at, legs().length - 1), "remove");
}

// Whoever uses all legs there are goes on using all; a smaller number was chosen, and stays.
const usesEveryLeg = () => Number(rounds.value) === legs().length;

function settle(at, button) {
  renumber();
  const row = legs()[at];
  const next = button ? row.querySelector(`[data-act="${button}"]`) : inputs(row)[0];
  (next.disabled ? inputs(row)[0] : next).focus();
  changed();
}

export function renumber() {
  const rows = legs();
  const most = Number(rounds.value || rows.length);
  rows.forEach((row, index) => {
    const leg = index;
    row.cells[0].replaceChildren(String(index), ...(index === 0 ? [make("small", {}, t("entry"))] : []));
    const [amount, gap] = inputs(row);
    for (const [input, name] of [[amount, t("Amount of leg {leg}", { leg })], [gap, t("Gap of leg {leg}", { leg })]]) {
      input.setAttribute("aria-label", name);
      input.setAttribute("aria-describedby", `leg-${leg}-about`);
    }
    under(row).cells[0].id = `leg-${leg}-about`;
    gap.disabled = index === 0;
    if (index === 0) gap.value = "";
    gap.placeholder = index === 0 ? t("market") : "";
    const names = { up: t("Move leg {leg} up", { leg }), down: t("Move leg {leg} down", { leg }), insert: t("Insert a leg after leg {leg}", { leg }),
      copy: t("Duplicate leg {leg}", { leg }), remove: t("Remove leg {leg}", { leg }) };
    for (const [name, words] of Object.entries(names)) {
      const button = row.querySelector(`[data-act="${name}"]`);
      button.setAttribute("aria-label", words);
      button.title = words;
      button.disabled = (name === "up" && index === 0) || (name === "down" && index === rows.length - 1) || (name === "remove" && rows.length === 1);
    }
    row.classList.toggle("unused", index >= most);
  });
}

// Each fault begins with its leg; which words stand before the figure depends on the language.
const legOf = (sentence) => Number(/^\D*(\d+)/.exec(sentence)?.[1] ?? -1);

/** Say at each leg what is wrong with it; answers what to say below the table. */
export function showLegFaults(sentences) {
  const rows = legs();
  const byLeg = new Map();
  for (const text of sentences) byLeg.set(legOf(text), [...(byLeg.get(legOf(text)) ?? []), text]);
  rows.forEach((row, index) => {
    const said = byLeg.get(index) ?? [];
    row.classList.toggle("wrong", said.length > 0);
    for (const input of inputs(row)) said.length ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
    say(under(row).querySelector(".fault"), said.join(" "));
  });
  const elsewhere = sentences.filter((text) => !rows[legOf(text)]);
  const wrong = [...byLeg.keys()].filter((leg) => rows[leg]);
  return [...elsewhere, ...wrong.map((leg) => t("Leg {leg} cannot be placed like this.", { leg }))];
}

/** Say at each leg what is doubtful: `warnings` with a leg. */
export function showLegDoubts(warnings) {
  legs().forEach((row, index) => {
    const said = warnings.filter((each) => each.leg === index).map((each) => each.message);
    row.classList.toggle("doubtful", said.length > 0);
    say(under(row).querySelector(".doubt"), said.join(" "));
  });
}

/** The share of each leg as the server computed it; nothing while there is no preview. */
export function showShares(plan) {
  legs().forEach((row, index) => {
    const leg = plan?.legs[index];
    const cell = row.querySelector(".share");
    if (!leg) return cell.replaceChildren();
    const bar = make("i", { class: "bar-of-share", "aria-hidden": "true" });
    bar.style.width = `${leg.share_percent}%`;
    cell.replaceChildren(make("span", {}, `${number(leg.share_percent)} %`), bar);
  });
}

byId("add-row").addEventListener("click", () => {
  const last = legs().length - 1;
  const [amount, gap] = values(last);
  insert(last, amount, last > 0 ? gap : "1");
});
