// The account page: keys and what the exchange says of them, Telegram, password, and how pages speak.
// Sign-ins and API tokens are in account_lists.js.
import { byId, call, CLOCK, first, language, make, number, say, showStrip, t, toast } from "./page.js";
import { confirm, tell, whileBusy } from "./account_parts.js";
import "./account_lists.js";

let settings = first.settings;

/** Say what is wrong at each field, and lead the keyboard to the first one. */
function showFaults(form, errors = {}) {
  for (const place of form.querySelectorAll("[data-fault]")) {
    const said = errors[place.dataset.fault];
    const input = form.elements[place.dataset.fault];
    say(place, said ? said.join(" ") : "");
    if (said) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  form.querySelector('[aria-invalid="true"]')?.focus();
}

function filled(form, names) {
  return Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
}

// Keys and Telegram: only ever sent, never shown.
const KEYS = ["api_key", "api_secret"];
const TELEGRAM = ["telegram_token", "telegram_chat_id"];

function showStored(next) {
  settings = next;
  showPair("keys", settings.keys_stored, KEYS);
  showPair("telegram", settings.telegram_stored, TELEGRAM);
  if (settings.api_key) say(byId("api_key-stored"), t("Stored: {key}. Leave empty to keep it.", { key: settings.api_key }));
  byId("keys-test").hidden = !settings.keys_stored;
  showStrip(settings.strip);
}

function showPair(form, isStored, names) {
  say(byId(`${form}-state`), isStored ? t("Stored") : t("Not set"));
  byId(`${form}-state`).dataset.state = isStored ? "running" : "";
  byId(`${form}-remove`).hidden = !isStored;
  for (const name of names) {
    byId(form).elements[name].value = "";
    say(byId(`${name}-stored`), isStored ? t("Stored. Leave empty to keep it.") : "");
  }
}

/** Store some credentials. Answers whether that was done; what stood against it is said at the fields. */
async function store(form, names, data) {
  const { ok, status, body } = await call("PUT", "/api/bot/settings", data);
  // Other keys have to wait for the end of an open cycle: said where they would be entered.
  showFaults(byId(form), status === 409 ? { [names[0]]: [body.message] } : body.errors);
  if (ok) showStored(body);
  else tell(form, body.message, "bad");
  return ok ? body : null;
}

const VERDICTS = {
  works: ["good", () => t("The key works")],
  not_needed: ["", () => t("No key needed")],
  dangerous: ["bad", () => t("DANGER: do not use this key")],
  cannot_trade: ["warn", () => t("The key cannot trade")],
  refused: ["bad", () => t("The key does not work")],
  unknown: ["warn", () => t("Not known yet")],
};

async function testKeys() {
  say(byId("keys-said"), t("Asking the exchange…"));
  const { ok, body } = await call("POST", "/api/account/keys/test", {});
  if (!ok) {
    tell("keys", body.message, "bad");
    showFaults(byId("keys"), body.errors);
    return;
  }
  const [tone, words] = VERDICTS[body.status];
  say(byId("keys-said"), "");
  byId("keys-result").className = `notice ${tone}`;
  byId("keys-result").dataset.verdict = body.status;
  byId("keys-result").hidden = false;
  say(byId("keys-verdict"), words());
  say(byId("keys-message"), body.message);
  say(byId("keys-words"), body.words ? t("In the exchange's words: {words}", { words: body.words }) : "");
  const money = body.balance ? [[t("Balance"), body.balance.equity], [t("Available"), body.balance.available]] : [];
  byId("keys-balance").replaceChildren(...money.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, t("{amount} USDT", { amount: number(value, 2) }))]));
  byId("keys-findings").replaceChildren(...body.findings.map((each) => make("li", {}, each.message)));
  toast(body.message, tone === "good" ? "good" : tone === "bad" ? "bad" : "plain");
}

byId("keys").addEventListener("submit", whileBusy(async () => {
  const data = filled(byId("keys"), KEYS);
  byId("keys-result").hidden = true;
  if (!Object.keys(data).length) {
    showFaults(byId("keys"), { api_key: [t("Enter API key and API secret.")] });
    return;
  }
  const body = await store("keys", KEYS, data);
  if (!body) return;
  tell("keys", body.message, "good");
  await testKeys();
}));

byId("keys-test").addEventListener("click", whileBusy(testKeys));

byId("keys-remove").addEventListener("click", whileBusy(async () => {
  const onPaper = t("The bot then trades on the paper account that this server makes for you.");
  const elsewhere = settings.armed
    ? t("You are live with this key: without it the bot cannot trade, and going live is taken back. The key itself lives on at the exchange; delete it there too.")
    : t("The bot cannot trade with it any more. The key itself lives on at the exchange; delete it there too.");
  if (!(await confirm(t("Remove the stored keys?"), settings.mode === "paper" ? onPaper : elsewhere, t("Remove keys")))) return;
  byId("keys-result").hidden = true;
  if (await store("keys", KEYS, { api_key: "", api_secret: "" })) tell("keys", t("The keys are removed."), "good");
}));

byId("telegram").addEventListener("submit", whileBusy(async () => {
  const data = filled(byId("telegram"), TELEGRAM);
  const missing = TELEGRAM.filter((name) => !(name in data));
  if (missing.length === 2 || (missing.length && !settings.telegram_stored)) {
    showFaults(byId("telegram"), { [missing[0]]: [t("Enter bot token and chat id.")] });
    return;
  }
  if (await store("telegram", TELEGRAM, data)) tell("telegram", t("Stored. Nothing is sent yet."), "good");
}));

byId("telegram-remove").addEventListener("click", whileBusy(async () => {
  const text = t("Bot token and chat id are deleted here; the bot lives on at Telegram.");
  if (!(await confirm(t("Remove Telegram?"), text, t("Remove Telegram")))) return;
  const cleared = { telegram_token: "", telegram_chat_id: "" };
  if (await store("telegram", TELEGRAM, cleared)) tell("telegram", t("Telegram is removed."), "good");
}));

// What is said after the page was drawn anew: with another language, or under another cookie.
const LATER = "blitz-said";
const AFTER = {
  password: () => t("The password is changed. Every other sign-in has ended."),
  preferences: () => t("Saved."),
};

function drawAnew(form) {
  try { sessionStorage.setItem(LATER, form); } catch { /* private window: the page itself shows what was changed */ }
  location.reload();
}

byId("password").addEventListener("submit", whileBusy(async () => {
  const form = byId("password");
  const names = ["current_password", "new_password", "repeat_password"];
  const { ok, body } = await call("POST", "/api/account/password", Object.fromEntries(names.map((name) => [name, form.elements[name].value])));
  showFaults(form, body.errors);
  if (ok) drawAnew("password");
  else tell("password", body.message, "bad");
}));

// How pages speak.
const preferences = byId("preferences").elements;

function showZone() {
  const timeZone = preferences.time_zone.value.trim() || Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    const time = new Date().toLocaleTimeString(language, { timeZone, ...CLOCK });
    say(byId("zone-now"), t("Now it is {time} in {zone}.", { time, zone: timeZone }));
  } catch {
    say(byId("zone-now"), t("This browser does not know that zone; choose one from the list."));
  }
}

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem("blitz-theme", theme);
    else localStorage.removeItem("blitz-theme");
  } catch { /* private window: the account has it */ }
}

byId("preferences").addEventListener("submit", whileBusy(async () => {
  const chosen = Object.fromEntries(["language", "theme", "time_zone"].map((name) => [name, preferences[name].value.trim()]));
  const { ok, body } = await call("PUT", "/api/account/preferences", chosen);
  showFaults(byId("preferences"), body.errors);
  if (!ok) {
    tell("preferences", body.message, "bad");
    return;
  }
  applyTheme(body.theme);
  drawAnew("preferences");
}));

preferences.time_zone.addEventListener("input", showZone);
// The switch in the bar stores a theme too.
document.addEventListener("blitz-theme", (event) => { preferences.theme.value = event.detail; });

for (const name of ["language", "theme", "time_zone"]) preferences[name].value = first.preferences[name];
showStored(settings);
showZone();
let later = null;
try {
  later = sessionStorage.getItem(LATER);
  sessionStorage.removeItem(LATER);
} catch { /* private window */ }
if (later in AFTER) tell(later, AFTER[later](), "good");
