// The two lists of the account page: where one is signed in, and the API tokens of one's programs.
import { byId, call, first, make, moment, say, t } from "./page.js";
import { confirm, tell, whileBusy } from "./account_parts.js";

function browserWords(row) {
  if (row.browser && row.system) return t("{browser} on {system}", { browser: row.browser, system: row.system });
  return row.browser || row.system || t("Unknown browser");
}

function line(title, pill, facts, button) {
  const sub = make("div", { class: "sub" }, ...facts.map((fact) => make("span", {}, fact)));
  return make("li", {}, make("div", { class: "what" }, make("div", {}, make("strong", {}, title), pill), sub), button);
}

// Where one is signed in.
function showSignIns(rows) {
  byId("sign-ins").replaceChildren(...rows.map((row) => {
    const words = browserWords(row);
    const facts = [t("Since {time}", { time: moment(row.since) }), t("Last seen {time}", { time: moment(row.last_seen) }), t("From {address}", { address: row.address || "–" })];
    const here = row.this_one ? make("span", { class: "pill here" }, t("This one")) : null;
    const end = row.this_one ? null : make("button", { type: "button", class: "small", "aria-label": t("End the sign-in of {browser}, {address}", { browser: words, address: row.address }) }, t("End"));
    end?.addEventListener("click", whileBusy(() => change("sign-ins", `/api/account/sessions/${row.id}`)));
    return line(words, here, facts, end);
  }));
  byId("end-others").hidden = rows.length < 2;
}

byId("end-others").addEventListener("click", whileBusy(async () => {
  const text = t("Every other browser has to sign in again. This one stays.");
  if (await confirm(t("End all other sign-ins?"), text, t("End all others"))) await change("sign-ins", "/api/account/sessions");
}));

// API tokens.
const SCOPES = { read: () => t("Reads"), control: () => t("Reads and commands") };

function showTokens(rows) {
  byId("token-list").replaceChildren(...rows.map((row) => {
    const facts = [t("Ends in {hint}", { hint: row.hint }), t("Made {time}", { time: moment(row.created) }), row.last_used ? t("Last used {time}", { time: moment(row.last_used) }) : t("Never used")];
    const revoke = make("button", { type: "button", class: "small danger", "aria-label": t("Revoke {name}", { name: row.name }) }, t("Revoke…"));
    revoke.addEventListener("click", whileBusy(async () => {
      const text = t("Whatever uses it is shut out at once.");
      if (await confirm(t("Revoke the token {name}?", { name: row.name }), text, t("Revoke"))) await change("tokens", `/api/account/tokens/${row.id}`);
    }));
    return line(row.name, make("span", { class: "pill", "data-scope": row.scope }, SCOPES[row.scope]()), facts, revoke);
  }));
  byId("no-tokens").hidden = rows.length > 0;
}

const LISTS = {
  "sign-ins": { path: "/api/account/sessions", show: showSignIns },
  tokens: { path: "/api/account/tokens", show: showTokens },
};

async function refresh(list) {
  const { ok, body } = await call("GET", LISTS[list].path);
  if (ok) LISTS[list].show(body.rows);
}

/** End what `path` names, and draw the list as it is now: the row may have ended by itself meanwhile. */
async function change(list, path) {
  const { ok, body } = await call("DELETE", path);
  tell(list, body.message, ok ? "good" : "bad");
  await refresh(list);
  byId(`${list}-title`).focus(); // the button that had it is gone
}

byId("tokens").addEventListener("submit", whileBusy(async () => {
  const form = byId("tokens");
  const { ok, body } = await call("POST", "/api/account/tokens", { name: form.elements.name.value.trim(), scope: form.elements.scope.value });
  for (const name of ["name", "scope"]) {
    const said = body.errors?.[name];
    say(byId(`${name}-fault`), said ? said.join(" ") : "");
    if (said) form.elements[name].setAttribute("aria-invalid", "true");
    else form.elements[name].removeAttribute("aria-invalid");
  }
  tell("tokens", body.message, ok ? "good" : "bad");
  if (!ok) {
    form.querySelector('[aria-invalid="true"]')?.focus();
    return;
  }
  form.elements.name.value = "";
  byId("raw-token").value = body.token;
  say(byId("token-example"), `curl -H "Authorization: Bearer ${body.token}" ${location.origin}/api/bot/status`);
  byId("new-token").hidden = false;
  byId("raw-token").focus();
  byId("raw-token").select();
  await refresh("tokens");
}));

byId("copy-token").addEventListener("click", whileBusy(async () => {
  const field = byId("raw-token");
  field.select();
  // Without https there is no clipboard to write to; what is selected can still be copied.
  const copied = await (navigator.clipboard?.writeText(field.value).then(() => true, () => false) ?? document.execCommand("copy"));
  tell("tokens", copied ? t("Copied.") : t("The browser does not copy; press Ctrl+C."), copied ? "good" : "bad");
}));

byId("hide-token").addEventListener("click", () => {
  byId("raw-token").value = "";
  say(byId("token-example"), "");
  say(byId("tokens-said"), "");
  byId("new-token").hidden = true;
  byId("tokens-title").focus();
});

showSignIns(first.sign_ins);
showTokens(first.tokens);
