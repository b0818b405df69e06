// The candle chart: the market, what rests in it, where it filled, and the price as it moves.
// Numbers become floats here and nowhere else: they only place pixels.
import { CandlestickSeries, createChart, createSeriesMarkers, CrosshairMode, LineStyle } from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { byId, call, CLOCK, colour, decimalsOf, language, number, say, t, timeZone, whenThemeChanges } from "./page.js";

const SECONDS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400 };
const FIRST_CANDLES = 300;
const PAGE_CANDLES = 1000;
const CANDLES_MAX = 20000;
const NEAR_THE_LEFT_EDGE = 60;
const FILLS_MAX = 500;
const RESYNC_MS = 20000;
const QUIET_POLL_MS = 5000;
const NEAR = 0.03; // of the price: a level further away would press the candles flat
const KEPT = "blitz-timeframe";

const COLOURS = { leg: "--chart-leg", average: "--chart-average", tp: "--chart-tp", sl: "--chart-sl", liquidation: "--chart-liquidation" };
const moves = matchMedia("(prefers-reduced-motion: no-preference)");

export class Chart {
  constructor(place) {
    this.place = place;
    this.candles = [];
    this.lines = [];
    this.fills = [];
    this.frame = remembered();
    this.chart = createChart(place, { autoSize: true, ...this.look() });
    this.series = this.chart.addSeries(CandlestickSeries, this.candleLook());
    this.series.applyOptions({ autoscaleInfoProvider: (ofCandles) => this.withNearLevels(ofCandles()) });
    this.markers = createSeriesMarkers(this.series, []);
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => this.nearTheEdge(range));
    this.listen();
    this.load();
    setInterval(() => this.resync(), RESYNC_MS);
    setInterval(() => { if (!this.hasLivePrice) this.resync(); }, QUIET_POLL_MS);
  }

  look() {
    const line = { color: colour("--line") };
    const clock = new Intl.DateTimeFormat(language, { timeZone, year: "numeric", month: "short", day: "numeric", ...CLOCK });
    const tick = (options) => new Intl.DateTimeFormat(language, { timeZone, ...options });
    const ticks = [tick({ year: "numeric" }), tick({ month: "short" }), tick({ day: "numeric", month: "short" }),
      tick(CLOCK), tick({ ...CLOCK, second: "2-digit" })];
    return {
      layout: { background: { color: "transparent" }, textColor: colour("--ink-soft"), fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: false },
      grid: { vertLines: line, horzLines: line },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: colour("--line"), scaleMargins: { top: 0.12, bottom: 0.12 } },
      timeScale: { borderColor: colour("--line"), timeVisible: true, secondsVisible: false, rightOffset: 6, tickMarkFormatter: (time, kind) => ticks[kind].format(time * 1000) },
      localization: { timeFormatter: (time) => clock.format(time * 1000), priceFormatter: (price) => number(price.toFixed(this.decimals ?? 2)) },
      kineticScroll: { touch: moves.matches, mouse: false },
    };
  }

  candleLook() {
    const [up, down] = [colour("--chart-up"), colour("--chart-down")];
    return { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false };
  }

  listen() {
    for (const button of document.querySelectorAll("[data-frame]")) {
      button.setAttribute("aria-pressed", String(button.dataset.frame === this.frame));
      button.addEventListener("click", () => this.choose(button.dataset.frame));
    }
    byId("chart-fit").addEventListener("click", () => this.chart.timeScale().scrollToRealTime());
    this.place.addEventListener("keydown", (event) => this.key(event));
    whenThemeChanges(() => this.repaint());
  }

  key(event) {
    const scale = this.chart.timeScale();
    const step = event.shiftKey ? 40 : 8;
    const acts = {
      ArrowLeft: () => scale.scrollToPosition(scale.scrollPosition() - step, false),
      ArrowRight: () => scale.scrollToPosition(scale.scrollPosition() + step, false),
      "+": () => this.widen(1.25), "=": () => this.widen(1.25), "-": () => this.widen(0.8),
      Home: () => scale.fitContent(), End: () => scale.scrollToRealTime(),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
  }

  widen(factor) {
    const scale = this.chart.timeScale();
    scale.applyOptions({ barSpacing: Math.min(60, Math.max(0.6, scale.options().barSpacing * factor)) });
  }

  repaint() {
    this.chart.applyOptions(this.look());
    this.series.applyOptions(this.candleLook());
    const { levels, fills } = this;
    this.levels = undefined;
    this.showLevels(levels ?? []);
    this.showFills(fills);
  }

  choose(frame) {
    this.frame = frame;
    try { localStorage.setItem(KEPT, frame); } catch { /* private window: lasts for this page */ }
    for (const button of document.querySelectorAll("[data-frame]")) button.setAttribute("aria-pressed", String(button.dataset.frame === frame));
    this.load();
  }

  // Candles

  async load() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const rows = await this.ask({ limit: FIRST_CANDLES });
    if (turn !== this.turn || !rows) return;
    this.candles = rows;
    this.isWhole = false;
    this.decimals = 0;
    this.showDecimals(Math.max(0, ...rows.slice(-50).map((row) => row.decimals)));
    this.series.setData(this.candles);
    this.chart.timeScale().scrollToRealTime();
    this.showFills(this.fills);
  }

  /** Prices are written as finely as anything on this chart is priced. */
  showDecimals(decimals) {
    if (decimals <= (this.decimals ?? -1) && this.decimals !== 0) return;
    this.decimals = Math.max(decimals, this.decimals ?? 0);
    this.series.applyOptions({ priceFormat: { type: "price", precision: this.decimals, minMove: 10 ** -this.decimals } });
  }

  async ask(query) {
    const { ok, body } = await call("GET", `/api/bot/candles?${new URLSearchParams({ timeframe: this.frame, ...query })}`);
    byId("chart-problem").hidden = ok;
    if (!ok) {
      say(byId("chart-problem"), t("The chart cannot be drawn right now: {reason}", { reason: body.message ?? "" }));
      return null;
    }
    return body.rows.map(({ time, open, high, low, close }) => ({
      time, open: Number(open), high: Number(high), low: Number(low), close: Number(close), decimals: decimalsOf(close),
    }));
  }

  /** Older candles come while one pans towards them. */
  async nearTheEdge(range) {
    if (!range || range.from > NEAR_THE_LEFT_EDGE || this.isWhole || this.isFetching || !this.candles.length || this.candles.length >= CANDLES_MAX) return;
    this.isFetching = true;
    const turn = this.turn;
    const older = await this.ask({ limit: PAGE_CANDLES, before: this.candles[0].time });
    this.isFetching = false;
    if (turn !== this.turn || !older) return;
    const added = older.filter((row) => row.time < this.candles[0].time);
    this.isWhole = added.length === 0; // a page may be short where the market was silent
    if (this.isWhole) return;
    this.candles = [...added, ...this.candles];
    this.series.setData(this.candles);
    this.showFills(this.fills);
  }

  /** What the exchange says of the newest candles: the price that was pushed only drew their ends. */
  async resync() {
    if (document.hidden || !this.candles.length) return this.candles.length || document.hidden ? undefined : this.load();
    const turn = this.turn;
    const missing = Math.ceil((Date.now() / 1000 - this.candles.at(-1).time) / SECONDS[this.frame]) + 2;
    const rows = await this.ask({ limit: Math.min(PAGE_CANDLES, Math.max(3, missing)) });
    if (turn !== this.turn || !rows?.length) return;
    this.candles = [...this.candles.filter((row) => row.time < rows[0].time), ...rows];
    for (const row of rows) this.series.update(row, true);
    this.onPrice?.(rows.at(-1).close.toFixed(this.decimals));
  }

  /** Move the newest candle to a price that was just told. */
  showPrice(text) {
    const price = Number(text);
    const last = this.candles.at(-1);
    if (!price || !last) return;
    const start = Math.floor(Date.now() / 1000 / SECONDS[this.frame]) * SECONDS[this.frame];
    const isNew = start > last.time;
    const candle = isNew ? { time: start, open: last.close, high: last.close, low: last.close, close: price } : last;
    Object.assign(candle, { close: price, high: Math.max(candle.high, price), low: Math.min(candle.low, price) });
    if (isNew) this.candles.push(candle);
    this.series.update(candle);
  }

  // Lines and markers

  /** `levels` are {kind, price, title}; drawn anew only when they differ from what is drawn. */
  showLevels(levels) {
    if (JSON.stringify(levels) === JSON.stringify(this.levels)) return;
    this.levels = levels;
    this.showDecimals(Math.max(0, ...levels.filter(({ kind }) => kind !== "average" && kind !== "liquidation").map(({ price }) => decimalsOf(price))));
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = levels.map(({ kind, price, title, faint }) => this.series.createPriceLine({
      price: Number(price), title, color: colour(COLOURS[kind]), lineWidth: kind === "average" || kind === "tp" ? 2 : 1,
      lineStyle: faint ? LineStyle.Dotted : kind === "average" ? LineStyle.Solid : LineStyle.Dashed, axisLabelVisible: !faint,
    }));
    say(byId("chart-words"), levels.map(({ title, price }) => `${title} ${number(price)}`).join(", "));
  }

  /** The take-profit, the average and the next leg are always in sight; what is further away only where candles are. */
  withNearLevels(scale) {
    const last = this.candles.at(-1)?.close;
    if (!scale?.priceRange || !last) return scale;
    const away = ({ price }) => Math.abs(Number(price) - last);
    const [leg] = (this.levels ?? []).filter(({ kind }) => kind === "leg").sort((one, other) => away(one) - away(other));
    const near = [...(this.levels ?? []).filter(({ kind }) => kind === "tp" || kind === "average"), ...(leg ? [leg] : [])]
      .filter((level) => away(level) < last * NEAR).map(({ price }) => Number(price));
    const { minValue, maxValue } = scale.priceRange;
    return { ...scale, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
  }

  async loadFills(symbol) {
    const { ok, body } = await call("GET", `/api/bot/fills?limit=${FILLS_MAX}`);
    if (ok) this.showFills(body.rows.filter((row) => bare(row.symbol) === bare(symbol) && row.kind === "trade"));
  }

  showFills(fills) {
    this.fills = fills;
    const seconds = SECONDS[this.frame];
    const first = this.candles[0]?.time ?? Infinity;
    this.markers.setMarkers(fills
      .map((fill) => ({ fill, time: Math.floor(Date.parse(`${fill.at}Z`) / 1000 / seconds) * seconds }))
      .filter(({ time }) => time >= first)
      .map(({ fill, time }) => {
        const buys = fill.direction === "buy";
        return { time, position: buys ? "belowBar" : "aboveBar", shape: buys ? "arrowUp" : "arrowDown", color: colour(buys ? "--chart-buy" : "--chart-sell"), text: marked(fill.order) };
      })
      .sort((one, other) => one.time - other.time));
  }
}

/** A market's name without the marks of our spelling and of the venues': BTC/USDT:USDT, BTCUSDT and BTC-USDT are one. */
const bare = (symbol) => symbol.split(":")[0].replace(/[^A-Za-z0-9]/g, "");

/** A short name: L2, TP, SL; nothing for a trade by hand. */
function marked(order) {
  if (!order) return t("by hand");
  return order.startsWith("leg_") ? `L${order.slice(4)}` : order.toUpperCase();
}

function remembered() {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept in SECONDS ? kept : "1m";
  } catch {
    return "1m";
  }
}
