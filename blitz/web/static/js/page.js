// What every page needs: calls to the API, toasts, numbers and times for people, small elements.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export const first = JSON.parse(document.getElementById("first")?.textContent ?? "{}");
/** A text in the page's language; {name} stands for values.name. The words of other languages are in words/. */
export function t(text, values = {}) {
  return (globalThis.blitzWords?.[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const language = document.documentElement.lang;
export const timeZone = known(document.documentElement.dataset.zone);
export const byId = (id) => document.getElementById(id);

/** A time zone that this browser can show; else none, which is the browser's own. */
function known(zone) {
  try {
    return zone && new Intl.DateTimeFormat("en", { timeZone: zone }) ? zone : undefined;
  } catch {
    return undefined;
  }
}

/** Call the API. Answers {ok, status, body}; a server that is gone is status 0 with a sentence. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.status === 401) expire();
    const answer = await response.json().catch(() => ({ message: t("The server's answer cannot be read.") }));
    return { ok: response.ok, status: response.status, body: answer };
  } catch {
    return { ok: false, status: 0, body: { message: t("The server does not answer. Nothing was done here; try again when it is back.") } };
  }
}

let isExpired = false;
export const expired = () => isExpired;

/** The sign-in has ended. What is on the page stays readable; nothing is sent before somebody signs in again. */
function expire() {
  if (isExpired) return;
  isExpired = true;
  const again = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  byId("stale").hidden = false;
  byId("stale").replaceChildren(
    make("span", {}, t("Your sign-in has expired. Your bot goes on; this page is no longer updated.")),
    make("a", { class: "button", href: again }, t("Sign in again")));
}

/** Make an element: make("td", {class: "n"}, "1.5"). Text is always text, never markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A colour of the stylesheet, for what draws itself. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Have `act` done whenever the page has turned light or dark. */
export function whenThemeChanges(act) {
  new MutationObserver(act).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act);
}

/** Change text only when it differs, so that a screen reader and a selection are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function toast(message, tone = "plain") {
  const note = make("div", { class: `toast ${tone}` }, message);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), tone === "bad" ? 12000 : 6000);
}

/** 60000.50 is 60,000.50: grouping by text, so that no digit is lost. `places` cuts, without rounding up. */
export function number(value, places) {
  if (value === null || value === undefined || value === "") return "–";
  const [, sign, whole, fraction = ""] = String(value).match(/^([+-]?)(\d+)(?:\.(\d+))?$/) ?? [];
  if (whole === undefined) return String(value);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const shown = places === undefined ? fraction : fraction.slice(0, places);
  return (sign === "-" ? "−" : "") + grouped + (shown ? `.${shown}` : "");
}

/** The decimals of a price or a quantity as it is written. */
export const decimalsOf = (text) => (String(text ?? "").split(".")[1] ?? "").length;

/** A number with at least `places` places, so that a column can be read down; market and – stay. */
export function even(text, places) {
  return text.replace(/^([^.\d]*[\d,]+)(?:\.(\d*))?$/, (_, whole, found = "") => (places ? `${whole}.${found.padEnd(places, "0")}` : text));
}

/** Profit and loss: always with its sign. */
export function signed(value, places = 4) {
  if (value === null || value === undefined) return "–";
  const text = number(value, places);
  return /^[−–]/.test(text) || !/[1-9]/.test(text) ? text : `+${text}`;
}

export function tone(value) {
  const text = String(value ?? "");
  if (!/[1-9]/.test(text)) return "flat";
  return text.startsWith("-") ? "loss" : "gain";
}

const SIDES = { long: t("long"), short: t("short") };
const MARGIN_MODES = { cross: t("cross"), isolated: t("isolated") };
/** Code words of settings, as a trader says them. */
export const sideWord = (side) => SIDES[side] ?? side;
export const marginWord = (mode) => MARGIN_MODES[mode] ?? mode;
export const exchangeName = (code) => first.exchanges?.[code] ?? code;

const utc = (iso) => new Date(/[Z+]/.test(iso) ? iso : `${iso}Z`);

/** A time of day on every page, as charts and exchanges write it: 24 hours, always as wide. */
export const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const TO_THE_SECOND = { ...CLOCK, second: "2-digit" };
const DAY = { month: "short", day: "numeric" };

const forms = new Map(); // making one is slow, and a page shows hundreds of times
function form(name, zone, options) {
  const key = `${name} ${zone}`;
  if (!forms.has(key)) forms.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, ...options }));
  return forms.get(key);
}

/** A moment in the reader's own zone: today only the time, this year without the year. */
export function moment(iso, zone = timeZone) {
  if (!iso) return "–";
  const [at, now] = [utc(iso), new Date()];
  const isSame = (name, options) => form(name, zone, options).format(at) === form(name, zone, options).format(now);
  if (!isSame("year", { year: "numeric" })) return form("whole", zone, { year: "numeric", ...DAY, ...TO_THE_SECOND }).format(at);
  return isSame("day", DAY) ? form("time", zone, TO_THE_SECOND).format(at) : form("short", zone, { ...DAY, ...TO_THE_SECOND }).format(at);
}

export function duration(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return t("{days} d {hours} h", { days, hours });
  if (hours) return t("{hours} h {minutes} min", { hours, minutes });
  return minutes ? t("{minutes} min {seconds} s", { minutes, seconds: seconds % 60 }) : t("{seconds} s", { seconds });
}

export const STATUS_WORDS = {
  not_running: t("Not running"), starting: t("Starting"), running: t("Running"), stopping: t("Stopping"),
  stopping_after_cycle: t("Stopping after this cycle"), stopped: t("Stopped"), error: t("Stopped by a fault"), needs_attention: t("Needs attention"),
};

/** The strip that says whose money it is, as the server words it. */
export function showStrip(strip) {
  byId("mode-strip").dataset.mode = strip.mode;
  say(byId("mode-word"), strip.mode.toUpperCase());
  say(byId("mode-words"), strip.words);
}

const asked = new WeakMap();

/** Open a dialog and answer whether its "yes" was chosen. */
export function ask(dialog) {
  asked.get(dialog)?.(false);
  return new Promise((resolve) => {
    asked.set(dialog, resolve);
    // The browser tells of a close a moment later: by then somebody quick may have opened the dialog again.
    dialog.onclose = () => { if (!dialog.open) resolve(dialog.returnValue === "yes"); };
    dialog.returnValue = "";
    const leave = dialog.querySelector("[data-close]"); // not a submit button: Enter in a form presses the first of those
    if (leave) leave.onclick = () => dialog.close("no");
    dialog.showModal();
  });
}
