// A one-time link, shown once, ready to be copied.
import { ask, byId, moment, say, t } from "./page.js";

export function showLink(link) {
  say(byId("link-who"), t("For {email}. It works once, until {time}. It cannot be shown again; make a new one if it is lost.", { email: link.email, time: moment(link.expires_at) }));
  byId("link-text").value = link.link;
  say(byId("link-copy"), t("Copy"));
  return ask(byId("link-dialog"));
}

byId("link-copy").addEventListener("click", async () => {
  byId("link-text").select();
  try {
    await navigator.clipboard.writeText(byId("link-text").value);
    say(byId("link-copy"), t("Copied"));
  } catch {  // without https a browser may refuse; the text is selected, so that the keyboard can copy it
    say(byId("link-copy"), t("Press Ctrl+C"));
  }
});
