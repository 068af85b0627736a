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
      <p class="muted">Change a market's policy and see what it would have done with the forecasts that this node has stored, by the contract's own rules. It changes nothing on chain.</p>
      <Bench key={`${job.name} ${market}`} job={job.name} market={market} query={query} />
    </>
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
  const result = useAnswer<LabResult>(settled ? "./v1/lab" : null, { body: { job, market, policy: settled }, on: isTried });
  const kept = useKept(result.data);
  const isSame = policy !== null && current.data !== null && encode(policy) === encode(current.data.policy);
  // One after the other: the node lives through one at a time.
  const old = useAnswer<LabResult>(current.data && !isSame && kept ? "./v1/lab" : null, { body: { job, market, policy: current.data?.policy } });
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
      {result.error ? <Fault error={result.error} retry={result.reload} /> : null}
      {kept ? <Outcome result={kept} old={old.data} isSame={isSame} name={market} /> : result.error ? null : <Loading what="Living through the periods" />}
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

function Number({ label, value, divide, decimals, set }: { label: string; value: number; divide: number; decimals: number; set: (value: number) => void }) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? String(+(value / divide).toFixed(decimals + 3));
  const take = (typed: string) => {
    setText(typed);
    const parsed = globalThis.Number(typed);
    const next = Math.round(parsed * divide);
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
  const { liquidity } = result;
  const gain = liquidity ? liquidity.usd_per_year_per_100m - liquidity.static_usd_per_year_per_100m : null;
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
          {liquidity ? <Figure name="Liquidity providers, a year per $100M" sub={`best static fee ${format.dollars(liquidity.static_usd_per_year_per_100m)}`}>{format.dollars(liquidity.usd_per_year_per_100m)}</Figure> : null}
          {gain === null ? null : <Figure name="More than the static fee"><span class={gain >= 0 ? "good" : "bad"}>{format.dollars(gain)}</span></Figure>}
          {result.break_even_tvl_usd === null ? null : <Figure name="Pays its gas from a pool of">{format.dollars(result.break_even_tvl_usd)}</Figure>}
        </Figures>
        {liquidity ? <p class="muted small" style={{ marginTop: "8px" }}>A constant product pool over {format.number(liquidity.days, 1)} days of stored candles, an estimate that stands on an assumption about traders (θ {format.number(liquidity.theta, 2)}, ε {format.number(liquidity.epsilon, 2)}); over so few days chance weighs more than the policy. docs/WORTH.md says what is behind it.</p> : <p class="muted small" style={{ marginTop: "8px" }}>The candles stored here are too few to say what a pool would have earned.</p>}
        <TimeChart label="Parameters by the tried policy and by the one on chain" panes={panes} range={null} rangeKey={name} />
      </section>
      <div class="half">
        <section class="card" aria-label="policy.toml">
          <div class="head"><h2>policy.toml</h2><Copy text={result.policy_toml} what="policy.toml" label="Copy" /></div>
          <pre class="hex" tabIndex={0} style={{ margin: 0 }}>{result.policy_toml}</pre>
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
