// The live stream of a page: connects, notices when it is lost, says how old the data is, and comes back by itself.
import { byId, call, duration, expired, say, t } from "./page.js";

const SILENCE_MS = 7000; // the server speaks every two seconds
const POLL_MS = 3000;
const RETRY_MS = 5000;

/** Follow the stream. `take` has status(status) and feed(line); `newest()` answers the last feed line the page has. */
export function follow(take, newest) {
  new Live(take, newest).connect();
}

class Live {
  constructor(take, newest) {
    this.take = take;
    this.newest = newest;
    this.heardAt = Date.now();
    this.state = "connecting";
    setInterval(() => this.watch(), 1000);
    addEventListener("online", () => this.reconnect());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.watch(); });
  }

  connect() {
    this.source?.close();
    const source = (this.source = new EventSource(`/api/bot/events?after_id=${this.newest()}`));
    source.addEventListener("status", (event) => this.hear(() => this.take.status(JSON.parse(event.data))));
    source.addEventListener("feed", (event) => this.hear(() => this.take.feed(JSON.parse(event.data))));
    source.addEventListener("alive", () => this.hear());
    source.addEventListener("closing", () => this.turn("restarting"));
    source.addEventListener("error", () => this.lose(source));
  }

  hear(act) {
    this.heardAt = Date.now();
    this.turn("live");
    act?.();
  }

  /** The browser tries again by itself unless the server refused; then this asks why, and polls meanwhile. */
  lose(source) {
    if (this.state !== "restarting") this.turn("lost");
    if (source === this.source && source.readyState === EventSource.CLOSED) this.poll();
  }

  async poll() {
    const { ok, status, body } = await call("GET", "/api/bot/status");
    if (status === 401) return;
    if (ok) {
      this.heardAt = Date.now();
      this.take.status(body);
      this.turn("polling");
      const told = await call("GET", `/api/bot/feed?after_id=${this.newest()}`);
      if (told.ok) told.body.rows.forEach((line) => this.take.feed(line));
    }
    clearTimeout(this.timer);
    this.polls = (this.polls ?? 0) + 1;
    this.timer = setTimeout(() => (this.polls % 5 && ok ? this.poll() : this.connect()), ok ? POLL_MS : RETRY_MS);
  }

  reconnect() {
    if (this.state !== "live") this.connect();
  }

  /** A stream that is open and silent is as lost as one that broke. */
  watch() {
    const silent = Date.now() - this.heardAt;
    if (this.state === "live" && silent > SILENCE_MS) {
      this.turn("lost");
      this.connect();
    }
    this.tell(silent);
  }

  turn(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell(Date.now() - this.heardAt);
  }

  tell(silent) {
    const age = duration(Math.floor(silent / 1000));
    const words = {
      connecting: t("connecting…"),
      live: t("live"),
      polling: t("asking every {seconds} s", { seconds: POLL_MS / 1000 }),
      restarting: t("server is restarting; data is {age} old", { age }),
      lost: t("connection lost; data is {age} old", { age }),
    };
    say(byId("live"), words[this.state]);
    byId("live").dataset.state = { live: "good", polling: "good", connecting: "plain" }[this.state] ?? "bad";
    const stale = this.state === "lost" || this.state === "restarting";
    document.body.classList.toggle("stale", stale);
    if (stale && !expired()) say(byId("stale-words"), this.state === "restarting"
      ? t("The server is restarting. Your orders stay at the exchange, and this page connects again by itself. What you see is {age} old.", { age })
      : t("The connection to the server is lost. This page connects again by itself. What you see is {age} old.", { age }));
    byId("stale").hidden = !stale || silent < 2500;
  }
}
