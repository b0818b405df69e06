// What the parts of the account page share: a question before something ends, and what became of it.
import { ask, byId, say, toast } from "./page.js";

/** Ask in the page's dialog; answers whether to do it. */
export function confirm(title, text, yes) {
  say(byId("confirm-title"), title);
  say(byId("confirm-text"), text);
  say(byId("confirm-yes"), yes);
  return ask(byId("confirm"));
}

/** Say what became of a form, at the form and as a toast. `tone` is good or bad. */
export function tell(form, message, tone) {
  const place = byId(`${form}-said`);
  place.dataset.tone = tone;
  say(place, message);
  toast(message, tone);
}

/** A handler that sends nothing by itself and is not run twice at once. */
export function whileBusy(work) {
  let busy = false;
  return async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    const button = event.submitter ?? event.currentTarget;
    button.setAttribute("aria-busy", "true");
    try {
      await work();
    } finally {
      button.removeAttribute("aria-busy");
      busy = false;
    }
  };
}
