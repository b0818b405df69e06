// The two charts of the history page. They draw what the server summed; the words beside them are its own digits.
import { BaselineSeries, createChart, HistogramSeries, TickMarkType } from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { change } from "./history_tables.js";
import { byId, CLOCK, colour, language, moment, say, t, whenThemeChanges } from "./page.js";

const seconds = (iso) => Date.parse(`${iso}Z`) / 1000;
let redraw = () => {};
let charts = [];

/** What a tick of the time axis says, in the reader's zone. */
function tick(at, type, zone) {
  const forms = {
    [TickMarkType.Year]: { year: "numeric" }, [TickMarkType.Month]: { month: "short" }, [TickMarkType.DayOfMonth]: { day: "numeric", month: "short" },
  };
  const form = forms[type] ?? CLOCK;
  return new Date(at * 1000).toLocaleString(language, { timeZone: zone, ...form });
}

function frame(element, zone) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return createChart(element, {
    autoSize: true,
    layout: { attributionLogo: false, background: { color: "transparent" }, textColor: colour("--ink-soft"), fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("--line") } },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderColor: colour("--line"), timeVisible: true, tickMarkFormatter: (at, type) => (typeof at === "number" ? tick(at, type, zone) : null) },
    localization: { locale: language, timeFormatter: (at) => (typeof at === "number" ? moment(new Date(at * 1000).toISOString(), zone) : dayWords(at)) },
    // The wheel and a finger that goes up and down belong to the page.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
    kineticScroll: { touch: !isCalm },
  });
}

const dayWords = (day) => (typeof day === "string" ? day : [day.year, day.month, day.day].map((part) => String(part).padStart(2, "0")).join("-"));

/** Show the digits of the point under the pointer, and of the last one otherwise. */
function legend(chart, element, words, last) {
  const show = (point) => say(element, point ? words(point) : "");
  show(last);
  return (points, key) => chart.subscribeCrosshairMove((move) => show(move.time === undefined ? last : points.get(key(move.time)) ?? last));
}

function drawCurve(curve, zone) {
  const element = byId("equity-chart");
  const points = new Map(curve.map((point) => [seconds(point.at), point])); // of one second, the last
  const chart = frame(element, zone);
  const series = chart.addSeries(BaselineSeries, {
    baseValue: { type: "price", price: 0 }, lineWidth: 2, priceLineVisible: false, lastValueVisible: false,
    topLineColor: colour("--good"), topFillColor1: `${colour("--good")}44`, topFillColor2: `${colour("--good")}08`,
    bottomLineColor: colour("--bad"), bottomFillColor1: `${colour("--bad")}08`, bottomFillColor2: `${colour("--bad")}44`,
  });
  const [begin] = points.keys();
  series.setData([{ time: begin - 1, value: 0 }, ...[...points].map(([time, point]) => ({ time, value: Number(point.cumulative) }))]);
  legend(chart, byId("equity-legend"), (point) => `${moment(point.at)}: ${change(point.cumulative)} USDT`, curve.at(-1))(points, Number);
  describe(element, t("Running total of profit, from the first cycle to the last: {total} USDT after {count} points.", { total: change(curve.at(-1).cumulative), count: curve.length }));
  return [chart, points.size + 1];
}

function drawDays(days, zone) {
  const element = byId("day-chart");
  const points = new Map(days.map((day) => [day.day, day]));
  const chart = frame(element, zone);
  const series = chart.addSeries(HistogramSeries, { base: 0, priceLineVisible: false, lastValueVisible: false });
  series.setData(days.map((day) => ({ time: day.day, value: Number(day.profit), color: colour(day.profit.startsWith("-") ? "--bad" : "--good") })));
  legend(chart, byId("day-legend"), (day) => `${day.day}: ${change(day.profit)} USDT`, days.at(-1))(points, dayWords);
  describe(element, t("Profit of each day, {count} days. The table below holds the figures.", { count: days.length }));
  return [chart, points.size];
}

function describe(element, words) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", words);
}

/** Draw both charts anew; again when the theme changes. */
export function drawCharts(statistics) {
  redraw = () => {
    charts.forEach(([chart]) => chart.remove());
    charts = [];
    if (statistics.curve.length) charts.push(drawCurve(statistics.curve, statistics.time_zone));
    if (statistics.days.length) charts.push(drawDays(statistics.days, statistics.time_zone));
    charts.forEach(([chart, count]) => chart.timeScale().setVisibleLogicalRange({ from: -1 - count / 40, to: count + count / 40 }));
  };
  redraw();
}

whenThemeChanges(() => redraw());
