// Whether the position is covered, in words: what is so, why, and what to do about it.
import { moment, t } from "./page.js";

/** What may be said of the position. Unknown is shown as loudly as unprotected: nobody knows better. */
export function protectionWords(status) {
  const guard = status.protected ?? {};
  const since = guard.since ? { since: moment(guard.since) } : null;
  const said = (withTime, without) => (since ? withTime : without);
  switch (guard.state) {
    case "protected": return { state: "yes", word: said(t("Protected since {since}", since ?? {}), t("Protected")), why: guard.why };
    case "unprotected": return { state: "no", word: said(t("UNPROTECTED since {since}", since ?? {}), t("UNPROTECTED")), why: guard.why, remedy: guard.remedy };
    case "unknown": return { state: "no", word: said(t("PROTECTION UNKNOWN since {since}", since ?? {}), t("PROTECTION UNKNOWN")), why: guard.why, remedy: guard.remedy };
    case "no_position": return { state: "none", word: t("No position"), why: t("Nothing is at risk.") };
    // A cycle that is open and that nobody has looked at since a restart may be bare.
    default: return status.cycle && !status.running
      ? { state: "no", word: t("PROTECTION UNKNOWN"), why: t("Nobody has looked at the account since the server started."), remedy: t("Press Start to go on with the open cycle, or look at the exchange's own page.") }
      : { state: "none", word: t("Not watched"), why: t("Nobody has looked at the account since the server started.") };
  }
}
