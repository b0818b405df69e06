// The keys of the form: they only ever go in, and an empty field keeps what is stored.
import { byId, say, t } from "./page.js";

const SECRETS = ["api_key", "api_secret", "telegram_token", "telegram_chat_id"];
const form = byId("form");
const present = SECRETS.filter((name) => form.elements[name]);
const cleared = new Set();

export function showSecrets(settings) {
  const known = { api_key: settings.api_key, api_secret: settings.keys_stored, telegram_token: settings.telegram_stored, telegram_chat_id: settings.telegram_stored };
  cleared.clear();
  for (const name of present) {
    form.elements[name].value = "";
    form.elements[name].placeholder = known[name] ? (name === "api_key" ? settings.api_key : "••••••••") : "";
    say(byId(`${name}-stored`), known[name] ? t("Stored.") : t("Not set."));
    form.querySelector(`[data-clear="${name}"]`).hidden = !known[name];
  }
}

/** Only those that were entered or are to be removed. */
export function readSecrets() {
  const entered = present.map((name) => [name, form.elements[name].value.trim()]);
  return Object.fromEntries(entered.filter(([name, value]) => value || cleared.has(name)));
}

for (const button of form.querySelectorAll("[data-clear]")) {
  button.addEventListener("click", () => {
    const name = button.dataset.clear;
    cleared.add(name);
    form.elements[name].value = "";
    form.elements[name].placeholder = "";
    say(byId(`${name}-stored`), t("Will be removed when you save."));
    button.hidden = true;
    form.dispatchEvent(new Event("input"));
  });
}
