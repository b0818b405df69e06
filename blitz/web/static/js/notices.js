// What the administrator tells everybody: a page that stays open for days hears of it too.
import { byId, call, make, t } from "./page.js";

const POLL_MS = 20000;
let shown = null;

function words(notice) {
  if (notice.name !== "maintenance") return [notice.message];
  return [make("strong", {}, t("Maintenance.")), t("{message} No bot can be started until it is over; bots that run go on.", { message: notice.message })];
}

async function look() {
  const { ok, body } = await call("GET", "/api/notices");
  if (!ok || JSON.stringify(body.notices) === shown) return;
  shown = JSON.stringify(body.notices);
  byId("notices").replaceChildren(...body.notices.map((notice) => make("p", { "data-name": notice.name }, ...words(notice))));
}

globalThis.addEventListener("blitz:notices", look);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(() => { if (!document.hidden) look(); }, POLL_MS);
