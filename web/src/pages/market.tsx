/** One market: price with the forecast behind it, forecast against what came, parameters as steps, and how good it all was. */

import { useCallback, useMemo } from "preact/hooks";
import { address } from "../api/client";
import { nodeNow } from "../api/live";
import type { Candles, OverviewJob, Score, Series } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Calibration } from "../components/calibration";
import { Downloads } from "../components/download";
import { Fault, Figure, Figures, Loading, Note, Regime, Stage, Status, Time } from "../components/pieces";
import { Table } from "../components/table";
import { TimeChart, type Bar, type Line, type Pane, type Point } from "../components/time-chart";
import * as format from "../format";
import { go, href, setQuery } from "../route";

const DAY_MS = 86_400_000;
const MINUTES = [1, 5, 15, 60, 240];
/** Bars that the node gives in one answer. */
const MAX_BARS = 3_000;
/** Days of a button; 0 for everything. */
const RANGES: [string, number][] = [["1 D", 1], ["1 W", 7], ["1 M", 30], ["3 M", 90], ["All", 0]];

export default function MarketPage({ overview, name, query }: PageProps) {
  const job = overview.jobs.find((job) => (query["job"] ? job.name === query["job"] : job.markets.some((market) => market.name === name)));
  const market = job?.markets.find((market) => market.name === name);
  if (!job || !market) return <Unknown overview={overview.jobs} name={name} />;
  return <Known key={`${job.name} ${name}`} job={job} name={name} query={query} jobs={overview.jobs} />;
}

function Unknown({ overview, name }: { overview: OverviewJob[]; name: string }) {
  const known = overview.flatMap((job) => job.markets.map((market) => ({ job: job.name, market: market.name })));
  return (
    <Note level="warn">
      <p><b>This node has no market {name ? `“${name}”` : "of that name"}.</b></p>
      <p>{known.length === 0 ? "It serves none." : <>It serves {known.map((one, at) => <>{at > 0 ? ", " : ""}<a href={href("market", one.market, { job: one.job })}>{one.market}</a>{overview.length > 1 ? ` (${one.job})` : ""}</>)}.</>}</p>
    </Note>
  );
}

/** The coarsest bars that still show something, and no more than the node gives. */
export function barsFor(spanMs: number): number {
  return MINUTES.find((minutes) => spanMs / (minutes * 60_000) <= 400) ?? 240;
}

const whole = (text: string | undefined): number | null => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null);

function Known({ job, name, query, jobs }: { job: OverviewJob; name: string; query: Record<string, string>; jobs: OverviewJob[] }) {
  const market = job.markets.find((market) => market.name === name)!;
  const isPeriod = useMemo(() => periodsOf(job.name), [job.name]);
  const series = useAnswer<Series>(address("v1/series", { job: job.name, market: name }), { on: isPeriod });
  const data = series.data;
  const periodMs = (data?.period_seconds ?? 14_400) * 1000;
  const newest = data?.start_ms.at(-1);
  const oldest = data?.start_ms[0];
  const end = newest === undefined ? null : Math.max(newest + periodMs, Math.min(nodeNow(), newest + 3 * periodMs));
  const days = query["days"] === undefined ? 7 : Number(query["days"]) || 0;
  const to = whole(query["to"]) ?? end;
  const from = whole(query["from"]) ?? (to === null ? null : days > 0 ? to - days * DAY_MS : oldest ?? to - 7 * DAY_MS);
  const span = from === null || to === null ? 7 * DAY_MS : Math.max(to - from, periodMs);
  const asked = Number(query["minutes"]);
  const minutes = MINUTES.includes(asked) && span / (asked * 60_000) <= MAX_BARS ? asked : barsFor(span);
  // As much again on each side, so that moving a little asks for nothing; whole bars, so that the address stays the same for a while.
  const room = Math.min(span, (MAX_BARS * minutes * 60_000 - span) / 2.1);
  const grid = minutes * 60_000;
  const hasBars = from !== null && to !== null && room >= 0;
  const firstBar = hasBars ? Math.floor(Math.max(from - room, 0) / grid) * grid : 0;
  const lastBar = hasBars ? Math.ceil((to + room) / grid) * grid : 0;
  const candles = useAnswer<Candles>(hasBars ? address("v1/candles", { job: job.name, market: name, from_ms: firstBar, to_ms: lastBar, minutes }) : null, { on: isPeriod });
  const panes = useMemo(() => (data ? build(data, candles.data) : null), [data, candles.data]);

  const turbulent = useMemo(() => (data ? wildest(data) : null), [data]);
  const show = (range: Record<string, string | number | null>) => setQuery({ from: null, to: null, days: null, minutes: null, ...range });
  const moved = useCallback((first: number, last: number) => {
    const seen = { from: first * 1000, to: last * 1000 };
    if (from !== null && to !== null && Math.abs(seen.from - from) + Math.abs(seen.to - to) > span * 0.3) setQuery({ from: seen.from, to: seen.to, days: null });
  }, [from, to, span]);
  const pick = useCallback((seconds: number) => {
    if (!data) return;
    const at = data.start_ms.findIndex((start) => start <= seconds * 1000 && seconds * 1000 < start + periodMs);
    if (at >= 0) go(href("update", String(data.period[at]), { job: job.name }));
  }, [data, periodMs, job.name]);

  const fromS = from === null ? null : from / 1000;
  const toS = to === null ? null : to / 1000;
  return (
    <>
      <div class="head">
        <div>
          <h1>{name}</h1>
          {market.params ? <Status name={market.params.status} /> : <span class="badge fail">✕ chain not read {market.params_error ?? ""}</span>}
          {jobs.filter((one) => one.markets.some((known) => known.name === name)).length > 1 ? (
            <select aria-label="Job" value={job.name} onChange={(event) => go(href("market", name, { job: event.currentTarget.value }))}>
              {jobs.filter((one) => one.markets.some((known) => known.name === name)).map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
            </select>
          ) : <span class="muted">{job.name}</span>}
        </div>
      </div>
      <section class="card" aria-label="Now">
        <Figures>
          <Figure name="Collateral ratio" sub={pending(market.params?.next.borrow_collateral_ratio_bps, market.params?.borrow_collateral_ratio_bps, format.ratio, market.params?.next.effective_at_seconds)}>{format.ratio(market.params?.borrow_collateral_ratio_bps)}</Figure>
          <Figure name="Swap fee" sub={pending(market.params?.next.amm_fee_pips, market.params?.amm_fee_pips, format.fee, market.params?.next.effective_at_seconds)}>{format.fee(market.params?.amm_fee_pips)}</Figure>
          <Figure name="Liquidation ratio">{format.ratio(market.params?.liquidation_collateral_ratio_bps)}</Figure>
          <Figure name="Borrow cap open">{format.ratio(market.params?.borrow_cap_factor_bps)}</Figure>
          <Figure name="Forecast volatility" sub={data ? `High above ${format.volatility(data.threshold_volatility)}` : null}>{format.volatility(market.recent.at(-1)?.volatility)}</Figure>
          <Figure name="Last update" plain sub={market.params ? <a href={href("update", String(market.params.period), { job: job.name })}>see it</a> : null}>{market.age_s === null ? format.NONE : `${format.duration(market.age_s * 1000)} old`}</Figure>
        </Figures>
      </section>
      <section class="card" aria-label="Chart">
        <div class="head">
          <div>
            <span class="group" role="group" aria-label="Range">
              {RANGES.map(([label, range]) => <button key={label} type="button" aria-pressed={query["from"] === undefined && days === range} onClick={() => show({ days: range === 7 ? null : range })}>{label}</button>)}
            </span>
            {turbulent ? <button type="button" data-test="turbulent" title="Where volatility was highest" aria-pressed={whole(query["from"]) === turbulent.from} onClick={() => show({ from: turbulent.from, to: turbulent.to })}>Wildest: {format.utcDay(turbulent.at)}</button> : null}
          </div>
          <div>
            <label class="small muted">Bars <select aria-label="Length of a bar" value={minutes} onChange={(event) => setQuery({ minutes: event.currentTarget.value })}>
              {MINUTES.map((one) => <option key={one} value={one} disabled={span / (one * 60_000) > MAX_BARS}>{one < 60 ? `${one} min` : `${one / 60} h`}</option>)}
            </select></label>
            {data ? <span class="small muted">Periods <Downloads name={`${name} forecasts and parameters`} columns={() => columnsOf(data)} json={() => data} /></span> : null}
            {candles.data ? <span class="small muted">Candles <Downloads name={`${name} candles`} columns={() => ({ ...candles.data!, minutes: candles.data!.open_time_ms.map(() => candles.data!.minutes) })} json={() => candles.data} /></span> : null}
          </div>
        </div>
        {series.error && !data ? <Fault error={series.error} retry={series.reload} /> : null}
        {candles.error && !candles.error.isAway ? <p class="muted small">No candles here: {candles.error.message} <code>{candles.error.code}</code></p> : null}
        {panes ? (data!.period.length === 0 ? <Note>No period of this market is stored yet.</Note> : (
          <TimeChart label={`${name}: price, forecast and realised volatility, probability of High, collateral ratio and fee`} panes={panes}
            range={fromS !== null && toS !== null ? [fromS, toS] : null} rangeKey={`${query["from"] ?? ""} ${query["to"] ?? ""} ${days} ${minutes}`} onPick={pick} onRange={moved} />
        )) : series.error ? null : <Loading what="Reading the series" />}
        <p class="muted small">Behind the price: the forecast regime, amber for High. Behind P(High): what happened, amber where it was High. Parameters stand at the period that set them; tighter ones hold as soon as the update lands, looser ones some time after, as the table says. A click opens the update.</p>
      </section>
      <ScoreCard job={job.name} market={name} on={isPeriod} query={query} />
      {data ? <Updates data={data} job={job.name} /> : null}
    </>
  );
}

const pending = (next: number | undefined, now: number | undefined, show: (value: number) => string, at: number | undefined) =>
  next === undefined || next === now || at === undefined ? null : <>{show(next)} from <Time ms={at * 1000} day={false} /></>;

/** Where volatility was highest, with two days around it. */
export function wildest(data: Series): { at: number; from: number; to: number } | null {
  if (data.period.length < 3) return null;
  let best = -1;
  let most = -Infinity;
  data.period.forEach((_, at) => {
    const value = data.realised_volatility[at] ?? data.volatility[at] ?? null;
    if (value !== null && value > most) [best, most] = [at, value];
  });
  const start = data.start_ms[best];
  return start === undefined ? null : { at: start, from: start - 1.5 * DAY_MS, to: start + 1.5 * DAY_MS };
}

function columnsOf(data: Series) {
  const { period, start_ms, stage, probability_high, volatility, regime, realised_volatility, persistence_volatility, har_volatility } = data;
  const { borrow_collateral_ratio_bps, liquidation_collateral_ratio_bps, amm_fee_pips, borrow_cap_factor_bps, applied_volatility, requested_volatility, effective_at_s } = data;
  return {
    period, start_ms, start_utc: start_ms.map((ms) => format.utc(ms)), stage, probability_high, volatility, regime, realised_volatility, persistence_volatility,
    har_volatility, borrow_collateral_ratio_bps, liquidation_collateral_ratio_bps, amm_fee_pips, borrow_cap_factor_bps, applied_volatility, requested_volatility, effective_at_s,
  };
}

const bps = (value: number) => format.number(value * 1e4, 1);
const percent = (value: number) => format.number(value * 100);

/** Panes over one axis. Bars without a period behind them have no band. */
function build(data: Series, candles: Candles | null): Pane[] {
  const periodS = data.period_seconds;
  const starts = data.start_ms.map((ms) => ms / 1000);
  const points = (column: (number | null)[]): Point[] => starts.map((time, at) => ({ time, value: column[at] ?? null }));
  const known = (column: (number | null)[]): Point[] => points(column).filter((point) => point.value !== null);
  const bars: Bar[] = candles ? candles.open_time_ms.map((ms, at) => ({ time: ms / 1000, open: candles.open[at]!, high: candles.high[at]!, low: candles.low[at]!, close: candles.close[at]! })) : [];
  const times = [...new Set([...starts, ...bars.map((bar) => bar.time)])].sort((left, right) => left - right);
  const bands = (colour: (at: number) => "band-high" | "band-low" | null): Point[] => {
    let at = -1;
    return times.map((time) => {
      while (at + 1 < starts.length && starts[at + 1]! <= time) at += 1;
      const isInside = at >= 0 && time < starts[at]! + periodS;
      const found = isInside ? colour(at) : null;
      return found === null ? { time, value: null } : { time, value: 1, colour: found };
    });
  };
  const words = { "band-high": "High", "band-low": "Low" } as const;
  const isHigh = (regime: string | null | undefined) => (regime === "High" ? "band-high" : regime === "Low" ? "band-low" : null);
  const price = bars.at(-1)?.close ?? 0;
  const decimals = price > 0 && price < 10 ? 5 : 2;
  const lines: Line[] = [{ name: "forecast", kind: "bands", colour: "high", show: String, words, points: bands((at) => isHigh(data.regime[at])) }];
  if (bars.length > 0) lines.push({ name: "", kind: "candles", colour: "up", bars, show: (value) => format.number(value, decimals), axis: (value) => format.number(value, price >= 1000 ? 0 : decimals) });
  const outcome = (at: number) => {
    const value = data.realised_volatility[at];
    return value === null || value === undefined ? null : value > data.threshold_volatility ? "band-high" : "band-low";
  };
  return [
    { name: "Price", height: bars.length > 0 ? 260 : 60, lines },
    {
      name: "Volatility", height: 170, levels: [{ value: data.threshold_volatility, name: "High above" }],
      lines: [
        { name: "realised", kind: "dots", colour: "text", points: known(data.realised_volatility), show: format.volatility, axis: bps },
        { name: "applied", kind: "step", colour: "low", isDashed: true, points: known(data.applied_volatility), show: format.volatility, axis: bps },
        { name: "forecast", kind: "step", colour: "accent", points: known(data.volatility), show: format.volatility, axis: bps },
      ],
    },
    {
      name: "P(High)", height: 110, levels: [{ value: 0.5, name: "" }],
      lines: [
        { name: "what happened", kind: "bands", colour: "high", show: String, words, points: bands(outcome) },
        { name: "forecast", kind: "step", colour: "accent", points: known(data.probability_high), show: format.share, axis: percent },
      ],
    },
    { name: "Collateral ratio", height: 110, lines: [{ name: "", kind: "step", colour: "accent", points: known(data.borrow_collateral_ratio_bps), show: format.ratio, axis: (value) => format.number(value / 100, 0) }] },
    { name: "Swap fee", height: 100, lines: [{ name: "", kind: "step", colour: "accent", points: known(data.amm_fee_pips), show: format.fee, axis: (value) => format.number(value / 100, 0) }] },
  ];
}

const FORECASTERS: Record<string, string> = { forecast: "This model", persistence: "Persistence: the last hours again", har: "HAR: a regression on past volatilities" };

function ScoreCard({ job, market, on, query }: { job: string; market: string; on: ReturnType<typeof periodsOf>; query: Record<string, string> }) {
  const days = [7, 30, 90, 365].includes(Number(query["score"])) ? Number(query["score"]) : 30;
  const score = useAnswer<Score>(address("v1/score", { job, market, days }), { on });
  const data = score.data;
  const best = (key: "accuracy" | "brier" | "qlike") => {
    const values = (data?.rows ?? []).map((row) => row[key]).filter((value) => value !== null);
    return key === "accuracy" ? Math.max(...values) : Math.min(...values);
  };
  const cell = (row: Score["rows"][number], key: "accuracy" | "brier" | "qlike", show: (value: number | null) => string) =>
    <span class={row[key] !== null && row[key] === best(key) ? "strong" : undefined}>{show(row[key])}{row[key] !== null && row[key] === best(key) ? " ✓" : ""}</span>;
  return (
    <section class="two" aria-label="Score">
      <div class="card">
        <div class="head"><h2>How good the forecasts were</h2>
          <select aria-label="Days of the score" value={days} onChange={(event) => setQuery({ score: event.currentTarget.value === "30" ? null : event.currentTarget.value })}>
            {[7, 30, 90, 365].map((one) => <option key={one} value={one}>last {one} days</option>)}
          </select>
        </div>
        {score.error && !data ? <Fault error={score.error} retry={score.reload} /> : null}
        {data && data.periods === 0 ? <p class="muted">No forecast of these days has its horizon behind it yet.</p> : null}
        {data && data.periods > 0 ? (
          <>
            <Table id="score" caption={`${market} score`} rows={data.rows} rowKey={(row) => row.name} columns={[
              { key: "name", title: "Who", value: (row) => FORECASTERS[row.name] ?? row.name, wraps: true },
              { key: "accuracy", title: "Right regime", hint: "Share of periods; higher is better", isNumber: true, value: (row) => row.accuracy, cell: (row) => cell(row, "accuracy", format.share) },
              { key: "brier", title: "Brier", hint: "Mean squared error of P(High); lower is better", isNumber: true, value: (row) => row.brier, cell: (row) => cell(row, "brier", (value) => format.number(value, 4)) },
              { key: "qlike", title: "QLIKE", hint: "Loss of the volatility; lower is better", isNumber: true, value: (row) => row.qlike, cell: (row) => cell(row, "qlike", (value) => format.number(value, 4)) },
            ]} />
            <p class="muted small">Of {data.periods} periods whose horizon is over. {data.periods < 30 ? "So few say little: the standard error of the share of right regimes is above 9 points. " : ""}✓ marks the best. Higher is better for right regimes, lower for Brier and QLIKE.</p>
          </>
        ) : null}
        {!data && !score.error ? <Loading /> : null}
      </div>
      <div class="card">
        <div class="head"><h2>Calibration</h2>{data ? <Downloads name={`${market} calibration`} columns={() => ({ from: data.calibration.map((bin) => bin.from), to: data.calibration.map((bin) => bin.to), count: data.calibration.map((bin) => bin.count), mean_forecast: data.calibration.map((bin) => bin.mean_forecast), share_high: data.calibration.map((bin) => bin.share_high) })} /> : null}</div>
        {data ? <Calibration bins={data.calibration.map((bin) => ({ forecast: bin.mean_forecast, observed: bin.share_high, count: bin.count }))} /> : null}
      </div>
    </section>
  );
}

function Updates({ data, job }: { data: Series; job: string }) {
  const rows = useMemo(() => data.period.map((period, at) => ({ period, at })).reverse(), [data]);
  const right = (at: number) => {
    const [realised, regime] = [data.realised_volatility[at] ?? null, data.regime[at]];
    return realised === null || !regime ? null : (realised > data.threshold_volatility) === (regime === "High");
  };
  return (
    <section class="card" aria-label="Updates">
      <div class="head"><h2>Updates</h2></div>
      <Table id="updates" caption={`${data.market} updates`} rows={rows} rowKey={(row) => row.period} shown={20} columns={[
        { key: "start", title: "Period from (UTC)", value: ({ at }) => data.start_ms[at]!, cell: ({ period, at }) => <a href={href("update", String(period), { job })}><Time ms={data.start_ms[at]} /></a> },
        { key: "probability", title: "Forecast, P(High)", value: ({ at }) => data.probability_high[at] ?? null, cell: ({ at }) => <Regime name={data.regime[at] ?? null} probability={data.probability_high[at] ?? null} /> },
        { key: "volatility", title: "Volatility", isNumber: true, value: ({ at }) => data.volatility[at] ?? null, cell: ({ at }) => format.volatility(data.volatility[at]) },
        { key: "realised", title: "What came", isNumber: true, value: ({ at }) => data.realised_volatility[at] ?? null, cell: ({ at }) => <>{format.volatility(data.realised_volatility[at])}{right(at) === null ? "" : right(at) ? <span class="good" title="The regime was called right"> ✓</span> : <span class="bad" title="The regime was called wrong"> ✕</span>}</> },
        { key: "applied", title: "Applied", isNumber: true, value: ({ at }) => data.applied_volatility[at] ?? null, cell: ({ at }) => format.volatility(data.applied_volatility[at]) },
        { key: "ratio", title: "Collateral ratio", isNumber: true, value: ({ at }) => data.borrow_collateral_ratio_bps[at] ?? null, cell: ({ at }) => format.ratio(data.borrow_collateral_ratio_bps[at]) },
        { key: "fee", title: "Swap fee", isNumber: true, value: ({ at }) => data.amm_fee_pips[at] ?? null, cell: ({ at }) => format.fee(data.amm_fee_pips[at]) },
        { key: "effective", title: "Looser from (UTC)", hint: "Tighter values hold as soon as the update lands, looser ones from then on", value: ({ at }) => data.effective_at_s[at] ?? null, cell: ({ at }) => { const seconds = data.effective_at_s[at]; return <Time ms={seconds === null || seconds === undefined ? null : seconds * 1000} day={false} seconds />; } },
        { key: "stage", title: "Outcome", value: ({ at }) => data.stage[at]!, cell: ({ at }) => <Stage name={data.stage[at]!} /> },
      ]} />
    </section>
  );
}
