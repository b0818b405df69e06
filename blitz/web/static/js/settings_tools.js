// Presets, generator and import: each fills in the form, says what it did, and can be undone. None of them saves.
import { byId, call, make, number, say, t } from "./page.js";

const NAMES = { careful: () => t("Careful"), balanced: () => t("Balanced"), bold: () => t("Bold") };
const WORDS = {
  careful: () => t("Wide gaps, little leverage, a stop-loss."),
  balanced: () => t("Middling gaps and leverage, a stop-loss."),
  bold: () => t("Narrow gaps, much leverage, no stop-loss."),
};
let form = null;
let before = null;

/** Connect the tools with the form: {read, apply, frame, faults}. */
export function connectTools(parts) {
  form = parts;
  byId("generate").addEventListener("click", generate);
  byId("import-button").addEventListener("click", importPaste);
  byId("undo").addEventListener("click", undo);
  byId("generator").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName === "SUMMARY" || event.target.tagName === "BUTTON") return;
    event.preventDefault();  // Enter in a field of the form would save it
    generate();
  });
}

/** Ask anew which ladders suit the market that is chosen. */
export async function showPresets(settings) {
  const { ok, body } = await call("POST", "/api/bot/ladder/presets", settings);
  byId("no-presets").hidden = ok;
  byId("presets").hidden = !ok;
  if (ok) byId("presets").replaceChildren(...body.presets.map(presetButton));
}

function presetButton(preset) {
  return make("button", { type: "button", class: "preset", disabled: preset.settings === null, onclick: () => choose(preset) },
    make("strong", {}, NAMES[preset.name]()), make("span", {}, WORDS[preset.name]()), make("small", {}, preset.message));
}

function choose(preset) {
  fillIn(preset.settings, t("Filled in: {name}. Nothing is saved yet.", { name: NAMES[preset.name]() }));
}

async function generate() {
  const sent = Object.fromEntries([...byId("generator").querySelectorAll("[data-generate]")].map((input) => [input.dataset.generate, input.value.trim()]));
  const { ok, body } = await call("POST", "/api/bot/ladder/generate", { ...sent, ...form.frame() });
  form.faults(byId("generator"), body.errors);
  if (!ok) return form.complain(body, byId("generator"));
  const words = t("Filled in: {legs} legs with {amount} USDT of margin, over {percent} %. Nothing is saved yet.", {
    legs: body.rounds, amount: number(body.amount), percent: number(body.coverage_percent) });
  fillIn({ grids: body.grids, rounds: body.rounds }, words);
}

async function importPaste() {
  const sent = { text: byId("import-text").value, sizes: byId("import-sizes").value, ...form.frame() };
  const { ok, body } = await call("POST", "/api/bot/ladder/import", sent);
  const { text, ...others } = body.errors ?? {};
  form.faults(byId("import"), { text });
  byId("import-text").toggleAttribute("aria-invalid", Boolean(body.errors));
  byId("import-faults").replaceChildren(...Object.entries(others).map(([name, said]) => make("li", {}, make("code", {}, name), ` ${said.join(" ")}`)));
  if (!ok) {
    form.complain(body, byId("import"));
    return byId("import-faults").scrollIntoView({ block: "nearest" });
  }
  fillIn(body.settings, t("Filled in from the paste. Nothing is saved yet."), body.taken, body.left);
}

function fillIn(settings, words, taken = [], left = []) {
  before ??= form.read();
  form.apply(settings);
  say(byId("filled-words"), words);
  byId("filled-taken").replaceChildren(...taken.map((text) => make("li", {}, text)));
  byId("filled-left").replaceChildren(...left.map((each) => make("li", {}, make("code", {}, each.field), ` ${each.message}`)));
  byId("filled-left-part").hidden = left.length === 0;
  byId("filled").hidden = false;
  byId("filled").focus();
}

function undo() {
  const kept = before;
  forget();
  form.apply(kept);
  byId("tools").querySelector("button, summary").focus();
}

/** Saved or discarded: there is nothing left to undo. */
export function forget() {
  before = null;
  byId("filled").hidden = true;
}
