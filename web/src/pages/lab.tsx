/** What another policy would have done over the stored periods. Nothing here changes anything: it ends with a text to copy. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { address } from "../api/client";
import type { LabResult, Policy, PolicyView } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Downloads } from "../components/download";
import { Copy, Fault, Figure, Figures, Loading, Note } from "../components/pieces";
import { TimeChart, type Pane, type Point } from "../components/time-chart";
import * as format from "../format";
import { go, href, setQuery } from "../route";
import { KNOBS, KNOT_FIELDS, decode, encode } from "../policy";

/** After the last change of a knob, the node is asked. */
const SETTLE_MS = 350;
/** What the node takes where the address says nothing. */
const GWEI = 5;
const ETH_USD = 3_000;

export default function LabPage({ overview, query }: PageProps) {
  const jobs = overview.jobs.filter((job) => job.markets.length > 0);
  const job = jobs.find((one) => one.name === query["job"]) ?? jobs[0];
  const market = job?.markets.find((one) => one.name === query["market"])?.name ?? job?.markets[0]?.name;
  if (!job || market === undefined) return <Note>This node has no market whose policy could be tried.</Note>;
  return (
    <>
      <div class="head">
        <div><h1>Policy lab</h1>
          <select aria-label="Market" value={`${job.name} ${market}`} onChange={(event) => { const [one, ...rest] = event.currentTarget.value.split(" "); go(href("lab", "", { job: one, market: rest.join(" ") })); }}>
            {jobs.flatMap((one) => one.markets.map((known) => <option key={`${one.name} ${known.name}`} value={`${one.name} ${known.name}`}>{known.name}{jobs.length > 1 ? `, ${one.name}` : ""}</option>))}
          </select>
        </div>
      </div>
      <p class="muted">Change a market's policy and see what it would have done with the forecasts that this node has stored, by the contract's own rules, and what a pool with its fee would have earned. It changes nothing on chain.</p>
      <Bench key={`${job.name} ${market}`} job={job.name} market={market} query={query} />
    </>
  );
}

/** What is looked at: days of UTC, the last one included. */
interface Range { from_ms: number | null; to_ms: number | null }

const DAY_MS = 86_400_000;

/** The milliseconds of `from` and `to` in an address, which are days such as 2024-08-01; `null` for what is none. */
export function rangeOf(query: Record<string, string>): Range {
  const start = (text: string | undefined): number | null => {
    const ms = text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
    return ms >= 0 ? ms : null;
  };
  const [from_ms, last] = [start(query["from"]), start(query["to"])];
  return { from_ms, to_ms: last === null ? null : last + DAY_MS };
}

/** A number of an address within bounds, or the default. */
const priceOf = (text: string | undefined, fallback: number) => { const value = globalThis.Number(text); return text && value > 0 && value <= 1e6 ? value : fallback; };

function Period({ query }: { query: Record<string, string> }) {
  const { from_ms, to_ms } = rangeOf(query);
  const isWrong = from_ms !== null && to_ms !== null && from_ms >= to_ms;
  return (
    <section class="card" aria-label="Time and prices">
      <div class="figures">
        <label class="field"><span>From, UTC</span><input type="date" value={query["from"] ?? ""} onChange={(event) => setQuery({ from: event.currentTarget.value || null })} /></label>
        <label class="field"><span>Up to and with, UTC</span><input type="date" value={query["to"] ?? ""} onChange={(event) => setQuery({ to: event.currentTarget.value || null })} /></label>
        <label class="field" title="What a unit of gas is taken to cost"><span>Gas, gwei</span><Number label="Price of gas in gwei" value={priceOf(query["gwei"], GWEI)} divide={1} decimals={2} isWhole={false} set={(value) => setQuery({ gwei: value === GWEI ? null : value })} /></label>
        <label class="field" title="What an ether is taken to cost"><span>Ether, USD</span><Number label="Price of an ether in USD" value={priceOf(query["eth"], ETH_USD)} divide={1} decimals={2} isWhole={false} set={(value) => setQuery({ eth: value === ETH_USD ? null : value })} /></label>
        {query["from"] || query["to"] ? <button type="button" class="quiet" onClick={() => setQuery({ from: null, to: null })}>All of it</button> : null}
      </div>
      {isWrong ? <p class="bad small">The last day lies before the first.</p> : <p class="muted small">Without days: every stored period. A static fee to compare with is fitted on the candles before the first day.</p>}
    </section>
  );
}

function Bench({ job, market, query }: { job: string; market: string; query: Record<string, string> }) {
  const current = useAnswer<PolicyView>(address(`v1/policy/${encodeURIComponent(market)}`, { job }));
  const chosen = useMemo(() => decode(query["policy"]), [query["policy"]]);
  const policy = chosen ?? current.data?.policy ?? null;
  const [settled, setSettled] = useState<Policy | null>(policy);
  useEffect(() => {
    if (!policy) return;
    if (!settled) setSettled(policy);
    const timer = setTimeout(() => setSettled(policy), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [policy && encode(policy)]);
  const isTried = useMemo(() => periodsOf(job), [job]);
  const range = rangeOf(query);
  const asked = { job, market, ...range, gas_price_gwei: priceOf(query["gwei"], GWEI), eth_usd: priceOf(query["eth"], ETH_USD) };
  const isRange = range.from_ms === null || range.to_ms === null || range.from_ms < range.to_ms;
  const result = useAnswer<LabResult>(settled && isRange ? "./v1/lab" : null, { body: { ...asked, policy: settled }, on: isTried });
  const kept = useKept(result.data);
  const isSame = policy !== null && current.data !== null && encode(policy) === encode(current.data.policy);
  // One after the other: the node lives through one at a time.
  const old = useAnswer<LabResult>(current.data && isRange && !isSame && kept ? "./v1/lab" : null, { body: { ...asked, policy: current.data?.policy } });
  const change = (next: Policy) => setQuery({ policy: current.data && encode(next) === encode(current.data.policy) ? null : encode(next) });
  if (!policy) return current.error ? <Fault error={current.error} retry={current.reload} /> : <Loading what="Reading the policy" />;
  return (
    <>
      {current.error ? <Note level="warn"><p><b>The policy on chain could not be read:</b> {current.error.message} <code>{current.error.code}</code></p></Note> : null}
      {query["policy"] && !chosen ? <Note level="warn">The policy in the address makes no sense; this is the one on chain.</Note> : null}
      <div class="two">
        <section class="card" aria-label="Knots">
          <div class="head"><h2>Knots</h2>
            <div>
              {policy.knots.length < 4 ? <button type="button" class="quiet" onClick={() => change(withKnot(policy))}>add one</button> : null}
              {policy.knots.length > 2 ? <button type="button" class="quiet" onClick={() => change({ ...policy, knots: policy.knots.slice(0, -1) })}>take the last away</button> : null}
              <button type="button" disabled={isSame} onClick={() => setQuery({ policy: null })}>As on chain</button>
            </div>
          </div>
          <div class="scroll" tabIndex={0} role="region" aria-label="Knots of the policy">
            <table class="tight">
              <thead><tr><th scope="col">Knot</th>{KNOT_FIELDS.map((field) => <th scope="col" class="num" key={field.key}>{field.title}, {field.unit}</th>)}</tr></thead>
              <tbody>
                {policy.knots.map((knot, at) => (
                  <tr key={at}>
                    <td>{at + 1}</td>
                    {KNOT_FIELDS.map((field) => (
                      <td class="num" key={field.key}>
                        <Number label={`Knot ${at + 1}, ${field.title} in ${field.unit}`} value={knot[field.key]} divide={field.divide} decimals={field.decimals}
                          set={(value) => change({ ...policy, knots: policy.knots.map((one, index) => (index === at ? { ...one, [field.key]: value } : one)) })} />
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="muted small">Between knots the parameters are linear in the applied volatility; flat below the first and above the last.</p>
        </section>
        <section class="card" aria-label="Limits">
          <div class="head"><h2>Limits</h2></div>
          <div class="figures">
            {KNOBS.map((knob) => (
              <label class="field" key={knob.key} title={knob.hint}><span>{knob.title}, {knob.unit}</span>
                <Number label={`${knob.title} in ${knob.unit}`} value={policy[knob.key]} divide={1} decimals={0} set={(value) => change({ ...policy, [knob.key]: value })} /></label>
            ))}
          </div>
        </section>
      </div>
      <Period query={query} />
      {result.error ? <Fault error={result.error} retry={result.reload} /> : null}
      {kept ? <Outcome result={kept} old={old.data} isSame={isSame} name={market} /> : result.error || !isRange ? null : <Loading what="Living through the periods" />}
    </>
  );
}

/** The last result while the next one is on its way. */
function useKept<T>(data: T | null): T | null {
  const [kept, setKept] = useState<T | null>(null);
  useEffect(() => { if (data) setKept(data); }, [data]);
  return data ?? kept;
}

function withKnot(policy: Policy): Policy {
  const last = policy.knots.at(-1)!;
  return { ...policy, knots: [...policy.knots, { ...last, volatility_e9: Math.round(last.volatility_e9 * 1.25) }] };
}

function Number({ label, value, divide, decimals, isWhole = true, set }: { label: string; value: number; divide: number; decimals: number; isWhole?: boolean; set: (value: number) => void }) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? String(+(value / divide).toFixed(decimals + 3));
  const take = (typed: string) => {
    setText(typed);
    const parsed = globalThis.Number(typed);
    const next = isWhole ? Math.round(parsed * divide) : parsed * divide;
    if (typed.trim() !== "" && globalThis.Number.isFinite(parsed) && parsed >= 0 && next < 1e11 && next !== value) set(next);
  };
  return <input type="number" min="0" step="any" aria-label={label} value={shown} onInput={(event) => take(event.currentTarget.value)} onBlur={() => setText(null)} />;
}

const bps = (value: number) => format.number(value * 1e4, 1);
const hundredths = (value: number) => format.number(value / 100);

function panesOf(result: LabResult, old: LabResult | null, isSame: boolean): Pane[] {
  const points = (from: LabResult, values: number[]): Point[] => from.start_ms.map((ms, at) => ({ time: ms / 1000, value: values[at] ?? null }));
  const both = (key: "applied_volatility" | "borrow_collateral_ratio_bps" | "amm_fee_pips" | "borrow_cap_factor_bps", show: (value: number) => string, axis: (value: number) => string) => [
    ...(old ? [{ name: "as on chain", kind: "step" as const, colour: "low" as const, isDashed: true, points: points(old, old[key]), show, axis }] : []),
    { name: isSame ? "as on chain" : "tried", kind: "step" as const, colour: "accent" as const, points: points(result, result[key]), show, axis },
  ];
  return [
    { name: "Volatility", height: 140, lines: [{ name: "forecast", kind: "line", colour: "muted", points: points(result, result.forecast_volatility), show: format.volatility, axis: bps }, ...both("applied_volatility", format.volatility, bps)] },
    { name: "Collateral ratio", height: 130, lines: both("borrow_collateral_ratio_bps", format.ratio, hundredths) },
    { name: "Swap fee", height: 130, lines: both("amm_fee_pips", format.fee, hundredths) },
  ];
}

function Outcome({ result, old, isSame, name }: { result: LabResult; old: LabResult | null; isSame: boolean; name: string }) {
  const panes = useMemo(() => panesOf(result, isSame ? null : old, isSame), [result, old, isSame]);
  if (result.start_ms.length === 0) return <Note>No period with a forecast is stored yet.</Note>;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const against = (before: number | undefined, show: (value: number) => string) => (before === undefined || isSame ? null : `on chain ${show(before)}`);
  return (
    <>
      <section class="card" aria-label="What it would have done">
        <div class="head"><h2>{isSame ? "What the policy on chain does" : "What it would have done"}</h2>
          <Downloads name={`${name} policy lab`} columns={() => ({ start_ms: result.start_ms, forecast_volatility: result.forecast_volatility, applied_volatility: result.applied_volatility, borrow_collateral_ratio_bps: result.borrow_collateral_ratio_bps, liquidation_collateral_ratio_bps: result.liquidation_collateral_ratio_bps, amm_fee_pips: result.amm_fee_pips, borrow_cap_factor_bps: result.borrow_cap_factor_bps })} json={() => result} /></div>
        <Figures>
          <Figure name="Mean collateral ratio" sub={against(old ? mean(old.borrow_collateral_ratio_bps) : undefined, format.ratio)}>{format.ratio(mean(result.borrow_collateral_ratio_bps))}</Figure>
          <Figure name="Mean swap fee" sub={against(old ? mean(old.amm_fee_pips) : undefined, format.fee)}>{format.fee(mean(result.amm_fee_pips))}</Figure>
          <Figure name="Periods">{format.number(result.start_ms.length)}</Figure>
        </Figures>
        <TimeChart label="Parameters by the tried policy and by the one on chain" panes={panes} range={null} rangeKey={name} />
      </section>
      <Liquidity result={result} old={isSame ? null : old} />
      <div class="half">
        <section class="card" aria-label="policy.toml">
          <div class="head"><h2>policy.toml</h2><Copy text={result.policy_toml} what="policy.toml" label="Copy" /></div>
          <pre class="hex" tabIndex={0} style={{ margin: 0 }}>{result.policy_toml}</pre>
          <p class="small muted" style={{ marginTop: "6px" }}>Over a longer history, from a file of candles: <code>veriregime-agent backtest --candles FILE --policy policy.toml</code></p>
        </section>
        <section class="card" aria-label="Calldata">
          <div class="head"><h2>Calldata of setPolicy, for a multisig</h2><Copy text={result.set_policy_calldata} what="the calldata" label="Copy" /></div>
          <p class="small muted" style={{ marginBottom: "6px" }}>To the oracle, from the market's owner; a timelock stands in between. Decode it with your own tools before you sign.</p>
          <div class="hex" tabIndex={0}>{result.set_policy_calldata}</div>
        </section>
      </div>
    </>
  );
}

/** Days from which on there is a standard error, and results are told as those of a year. */
const SHORT_DAYS = 16;

/** What a pool would have earned, and from what size of it on the gas pays. */
function Liquidity({ result, old }: { result: LabResult; old: LabResult | null }) {
  const { liquidity, liquidity_fault: fault, break_even: even } = result;
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const before = old?.liquidity;
  // Few days are told as they were: a year of them there never is.
  const isShort = liquidity !== null && liquidity.days < SHORT_DAYS;
  const share = isShort ? liquidity.days / 365.25 : 1;
  const shown = (usdPerYear: number) => format.dollars(usdPerYear * share);
  return (
    <section class="card" aria-label="Liquidity providers" data-test="liquidity">
      <div class="head"><h2>What liquidity providers would have earned</h2></div>
      {liquidity ? (
        <>
          <Figures>
            <Figure name={isShort ? `In ${liquidity.days === 1 ? "this day" : `these ${liquidity.days} days`}, per $100M` : "A year, per $100M"} sub={before ? `on chain ${shown(before.usd_per_year_per_100m)}` : null}>{shown(liquidity.usd_per_year_per_100m)}</Figure>
            <Figure name="With a static fee" sub={`of ${format.fee(liquidity.static_fee_pips)}, ${liquidity.is_hindsight ? "the best in hindsight" : "the best of the days before"}`}>{shown(liquidity.static_usd_per_year_per_100m)}</Figure>
            <Figure name="More than that" sub={liquidity.standard_error_usd === null ? "too few days for an error" : `± ${format.dollars(liquidity.standard_error_usd)}`}><span class={liquidity.more_usd_per_year_per_100m >= 0 ? "good" : "bad"}>{shown(liquidity.more_usd_per_year_per_100m)}</span></Figure>
            <Figure name="Mean fee, by the minute" sub={before ? `on chain ${format.fee(before.mean_fee_pips)}` : null}>{format.fee(liquidity.mean_fee_pips)}</Figure>
            {even ? <Figure name="Pays its gas from a pool of" sub={`${isShort ? "were all the year like this; " : ""}${format.dollars(even.cost_usd_per_year)} a year: ${format.number(even.updates_per_year)} updates of ${format.number(even.gas_per_update)} gas`}>{even.tvl_usd === null ? "no size" : format.dollars(globalThis.Number(even.tvl_usd.toPrecision(3)))}</Figure> : null}
          </Figures>
          <p class="muted small" style={{ marginTop: "8px" }}>
            Judged on {format.number(liquidity.days)} whole {liquidity.days === 1 ? "day" : "days"} of stored candles, {day(liquidity.judged_from_ms)} to {day(liquidity.judged_to_ms)} UTC;
            the static fee and what others trade were fitted {liquidity.is_hindsight ? "on the same days, for want of two weeks before: it knows what came, and is hard to beat" : `on ${day(liquidity.fitted_from_ms)} to ${day(liquidity.fitted_to_ms)}, before any of them`}.
            An estimate for a constant product pool, over a rebalanced portfolio without one; it stands on an assumption about other traders (θ {format.number(liquidity.theta, 2)}, ε {format.number(liquidity.epsilon)}),
            and over few days chance weighs more than the policy. docs/WORTH.md says what is behind it.
            {even ? "" : " This node has landed no update yet from which the gas is known."}
          </p>
        </>
      ) : fault ? <Note level="warn"><p>{fault.message} <code>{fault.code}</code></p><p class="small muted">The result needs a whole day of stored candles with a fee; a node keeps them for candles.keep_days.</p></Note> : null}
    </section>
  );
}
