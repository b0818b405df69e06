// Force Start, Force Stop and Reconcile, for one user or for many: ask, send in small parts, list what became of each.
import { ask, byId, call, make, say, t, toast } from "./page.js";

const PART = 16;
const NAMED_MAX = 40;

const WAYS = { pull: {}, keep: { legs: "keep" }, after_cycle: { when: "after_cycle" }, close: { position: "close" } };

export const WORDS = {
  start: () => t("Force Start"),
  stop: () => t("Force Stop"),
  reconcile: () => t("Reconcile"),
};

/** Ask whether and how; answers what to send, or null. `one` names the only user. */
export async function confirmed(command, ids, one) {
  if (command === "reconcile" || (command === "start" && one)) return {};
  const { ok, body } = await call("POST", "/admin/users/selection", { user_ids: ids });
  if (!ok) {
    toast(body.message, "bad");
    return null;
  }
  if (command === "start") {
    say(byId("start-title"), t("Start the bots of {count} users?", { count: ids.length }));
    return (await ask(byId("start-dialog"))) ? {} : null;
  }
  say(byId("stop-title"), one ? t("Stop this bot?") : t("Stop the bots of {count} users?", { count: ids.length }));
  say(byId("stop-who"), one ?? t("{running} of them run, {positions} have a position open.", body));
  byId("stop-dialog").querySelector("[value=pull]").checked = true;
  showWay(body);
  byId("stop-dialog").onchange = () => showWay(body);
  return (await ask(byId("stop-dialog"))) ? WAYS[chosenWay()] : null;
}

const chosenWay = () => byId("stop-dialog").querySelector("[name=way]:checked").value;

function showWay({ positions, live_positions }) {
  const closes = chosenWay() === "close";
  byId("close-warning").hidden = !closes;
  if (!closes) {
    say(byId("stop-yes"), t("Force Stop"));
    return;
  }
  const held = positions === 1 ? t("1 position is closed at the market price. This cannot be undone.") : t("{count} positions are closed at the market price. This cannot be undone.", { count: positions });
  const real = live_positions === 0 ? "" : live_positions === 1 ? t("1 of them is real money.") : t("{count} of them are real money.", { count: live_positions });
  say(byId("close-warning"), `${held} ${real}`.trim());
  say(byId("stop-yes"), positions === 1 ? t("Close 1 position and stop") : t("Close {count} positions and stop", { count: positions }));
}

/** Send the command in parts; `told(done)` hears how many are done. Answers every result. */
export async function carryOut(command, ids, options, told = () => {}) {
  const results = [];
  for (let from = 0; from < ids.length; from += PART) {
    const part = ids.slice(from, from + PART);
    const { ok, body } = await call("POST", "/admin/users/commands", { command, user_ids: part, ...options });
    results.push(...(ok ? body.results : part.map((user_id) => ({ user_id, success: false, message: body.message }))));
    told(results.length);
  }
  return results;
}

/** A result's sentence, with what was done. */
export function sentence(result) {
  return result.actions?.length ? `${result.message} (${result.actions.join(", ")})` : result.message;
}

/** Run a command for a selection and list what became of it, alike results together. */
export async function runMany(command, ids, nameOf) {
  const options = await confirmed(command, ids);
  if (options === null) return;
  const [box, progress] = [byId("results"), byId("results-progress")];
  box.hidden = progress.hidden = false;
  byId("results-list").replaceChildren();
  progress.max = ids.length;
  const told = (done) => {
    progress.value = done;
    say(byId("results-title"), t("{command}: {done} of {all} done.", { command: WORDS[command](), done, all: ids.length }));
  };
  told(0);
  const results = await carryOut(command, ids, options, told);
  progress.hidden = true;
  const good = results.filter((result) => result.success).length;
  say(byId("results-title"), t("{command}: {good} done, {bad} not.", { command: WORDS[command](), good, bad: results.length - good }));
  byId("results-list").replaceChildren(...alike(results).map((group) => resultLine(group, nameOf)));
}

/** Results with the same sentence together, refusals first. */
function alike(results) {
  const groups = new Map();
  for (const result of results) {
    const words = sentence(result);
    if (!groups.has(words)) groups.set(words, { words, good: result.success, ids: [] });
    groups.get(words).ids.push(result.user_id);
  }
  return [...groups.values()].sort((one, other) => one.good - other.good);
}

function resultLine({ words, good, ids }, nameOf) {
  const names = ids.slice(0, NAMED_MAX).map(nameOf).join(", ");
  const rest = ids.length > NAMED_MAX ? t("and {count} more", { count: ids.length - NAMED_MAX }) : "";
  const who = ids.length === 1 ? names : t("{count} users: {names} {rest}", { count: ids.length, names, rest });
  return make("li", { class: good ? "good" : "bad" }, make("strong", {}, words), make("span", {}, who));
}
