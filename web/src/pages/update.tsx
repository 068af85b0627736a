/** One period: what happened when, why the parameters moved, and a button that checks it. */

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { address } from "../api/client";
import type { Change } from "../api/live";
import type { Explained, ExplainedMarket, Feature, OverviewJob, Transaction } from "../api/types";
import { useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Downloads } from "../components/download";
import { Badge, Copy, Fault, Figure, Figures, Hash, Loading, Note, Stage, Time } from "../components/pieces";
import { Plot, axes } from "../components/plot";
import { Table } from "../components/table";
import * as format from "../format";
import { decode } from "../network";
import { go, href } from "../route";
import { BOUNDS, change, direction, likely, reading } from "../story";
import type { Palette } from "../theme";
import { verify, type Outcome, type Step, type Verdict } from "../verify";

export default function UpdatePage({ overview, name, query }: PageProps) {
  const job = query["job"] ?? overview.jobs[0]?.name ?? null;
  const known = overview.jobs.find((one) => one.name === job);
  const isPeriod = /^\d{1,12}$/.test(name);
  if (!isPeriod) return <Note level="warn"><p><b>“{name}” is no period.</b> Periods are numbers.</p><p><a href={href("updates", "", { job })}>All updates</a></p></Note>;
  return <Known key={`${job} ${name}`} period={Number(name)} job={job} known={known ?? null} query={query} />;
}

function Known({ period, job, known, query }: { period: number; job: string | null; known: OverviewJob | null; query: Record<string, string> }) {
  const on = useCallback((change: Change) => change.kind === "period" && (change.period === null || change.period === period), [period]);
  const answer = useAnswer<Explained>(address(`v1/periods/${period}/explained`, { job }), { on });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement | null)?.closest("input, select, textarea, [role=img], dialog, .scroll")) return;
      if (event.key === "ArrowLeft") go(href("update", String(period - 1), { job }));
      if (event.key === "ArrowRight") go(href("update", String(period + 1), { job }));
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [period, job]);
  const { data, error } = answer;
  const newest = known?.last_cycle?.period ?? null;
  return (
    <>
      <div class="head">
        <div>
          <h1>{data ? <Time ms={data.start_ms} /> : `Period ${period}`}</h1>
          {data ? <Stage name={data.period.stage} code={data.period.missed?.code} /> : null}
          <span class="muted">period {period}{job ? `, ${job}` : ""}</span>
        </div>
        <div>
          <a class="button" href={href("update", String(period - 1), { job })} title="The period before">← earlier</a>
          {newest === null || period < newest ? <a class="button" href={href("update", String(period + 1), { job })} title="The period after">later →</a> : <button type="button" disabled>newest</button>}
          <a class="button" href={href("updates", "", { job })}>All</a>
        </div>
      </div>
      {error && !data ? <Missing error={error} period={period} newest={newest} retry={answer.reload} job={job} /> : null}
      {!data && !error ? <Loading what="Reading the update" /> : null}
      {data ? <Told data={data} job={job} known={known} query={query} /> : null}
    </>
  );
}

function Missing({ error, period, newest, retry, job }: { error: NonNullable<ReturnType<typeof useAnswer>["error"]>; period: number; newest: number | null; retry: () => void; job: string | null }) {
  if (error.code !== "VR-API-004") return <Fault error={error} retry={retry} />;
  return (
    <Note>
      <p><b>This node has no cycle of this period.</b> {newest !== null && period > newest ? "It lies ahead: the page fills by itself when the period comes." : "It may have begun before the node did, or while it was stopped."}</p>
      <p>{newest === null ? null : <a href={href("update", String(newest), { job })}>To the newest</a>}</p>
    </Note>
  );
}

function Told({ data, job, known, query }: { data: Explained; job: string | null; known: OverviewJob | null; query: Record<string, string> }) {
  const market = data.markets.find((one) => one.market === query["market"]) ?? data.markets[0];
  return (
    <>
      {market ? <Why market={market} data={data} /> : <Plain data={data} />}
      {data.markets.length > 1 ? (
        <div class="group" role="group" aria-label="Market">{data.markets.map((one) => <button type="button" key={one.market} aria-pressed={one === market} onClick={() => go(href("update", String(data.period.period), { job, market: one.market }), true)}>{one.market}</button>)}</div>
      ) : null}
      <Timeline data={data} />
      {market && market.features.length > 0 ? <Verification data={data} job={job} /> : null}
      {market && market.features.length > 0 ? <Features market={market} /> : null}
      <div class="half">
        <ProofCard data={data} />
        <Landing data={data} known={known} />
      </div>
    </>
  );
}

/** Of jobs of electricity and yields, which tell less. */
function Plain({ data }: { data: Explained }) {
  const { period } = data;
  if (!period.electricity?.length && !period.strategy) return period.missed ? <Note level="warn"><b>This period has no update.</b> The cycle ended at “{format.stage(period.missed.stage)}” with <code>{period.missed.code}</code>; the operator handbook explains it.</Note> : <Note>The cycle has not come to its forecast yet.</Note>;
  return (
    <section class="card" aria-label="Forecast">
      <Figures>
        {period.electricity?.map((one) => <Figure key={one.months} name={`Next ${one.months} months`} sub={`last month ${format.number(one.last_month_eur_mwh, 2)}`}>{format.number(one.eur_mwh, 2)} <span class="small">EUR/MWh</span></Figure>)}
        {period.strategy ? <><Figure name="Mean rate of the next 7 days" sub="a year">{format.share(period.strategy.apy, 2)}</Figure><Figure name="90 % within">{format.share(period.strategy.interval[0], 2)} to {format.share(period.strategy.interval[1], 2)}</Figure><Figure name="Volatility of the daily rate">{format.share(period.strategy.volatility, 2)}</Figure><Figure name="Data until" plain>{period.strategy.as_of}</Figure></> : null}
      </Figures>
    </section>
  );
}

function Why({ market, data }: { market: ExplainedMarket; data: Explained }) {
  const said = reading(market);
  const { parameters } = market;
  const { missed } = data.period;
  const strongest = useMemo(() => [...market.features].filter((one) => one.contribution).sort((left, right) => Math.abs(right.contribution!.log_volatility) - Math.abs(left.contribution!.log_volatility)).slice(0, 2), [market]);
  if (market.is_omitted) return <Note level="warn"><b>{market.market} was left as it was:</b> its candles kept failing, so the update omits it.</Note>;
  return (
    <section class="card" aria-label="Why" data-test="why">
      {said ? (
        <p class="story">{market.market}: <b>{likely(said.probabilityHigh)}</b>, forecast volatility <b>{format.volatility(said.volatility)}</b>{parameters ? <> → collateral <b>{change(parameters.before?.borrow_collateral_ratio_bps, parameters.after.borrow_collateral_ratio_bps, format.ratio)}</b></> : null}</p>
      ) : null}
      {parameters ? <p>{parameters.because}</p> : missed ? <p class="bad">There was no update: the cycle ended at “{format.stage(missed.stage)}” with <code>{missed.code}</code>. Readers keep the values of the last one until these are stale.</p> : <p class="muted">What the update did on chain is not known to this node {data.period.stage === "already_by_other" ? "(another node's landed)" : "yet"}.</p>}
      {strongest.length === 2 ? <p class="muted small">What moved the forecast most: {strongest.map((one, at) => <>{at > 0 ? ", and " : ""}<b>{readable(one.name)}</b> ({format.signed(one.z, 2)} standard deviations from its mean, {format.signed((Math.exp(one.contribution!.log_volatility) - 1) * 100, 0)} % on the volatility)</>)}.</p> : null}
      {parameters ? (
        <div class="half" style={{ marginTop: "14px" }}>
          <div class="change" role="table" aria-label="Parameters before and after">
            {([
              ["Collateral for new loans", "borrow_collateral_ratio_bps", format.ratio], ["Liquidation below", "liquidation_collateral_ratio_bps", format.ratio],
              ["Swap fee", "amm_fee_pips", format.fee], ["Borrow cap open", "borrow_cap_factor_bps", format.ratio],
            ] as const).map(([title, key, show]) => {
              const [before, after] = [parameters.before?.[key] ?? null, parameters.after[key]];
              return <div role="row" key={key} style={{ display: "contents" }}><span role="rowheader" class="muted">{title}</span><span role="cell" class="right">{show(before)}</span><span role="cell" aria-label="becomes">→</span><span role="cell" class={`to right ${before !== null && before !== after ? "high" : ""}`}>{show(after)}</span></div>;
            })}
          </div>
          <dl class="facts">
            <dt>Forecast</dt><dd>{format.volatility(parameters.forecast_volatility)}</dd>
            <dt>Asked for</dt><dd>{format.volatility(parameters.requested_volatility)}</dd>
            <dt>Applied</dt><dd><b>{format.volatility(parameters.applied_volatility)}</b> <Badge level={direction(parameters) === "tighter" ? "warn" : "none"}>{direction(parameters)}</Badge></dd>
            <dt>Holds</dt><dd>{direction(parameters) === "looser" ? <>from <Time ms={parameters.effective_at_s * 1000} seconds /> on; until then readers get the tighter of old and new</> : "since it landed: only looser values wait"}</dd>
            <dt>Rules that bound</dt><dd>{parameters.bound.length === 0 ? "none: the parameters follow the forecast" : <ul class="rows">{parameters.bound.map((bound) => <li key={bound}>{BOUNDS[bound] ?? bound}</li>)}</ul>}</dd>
          </dl>
        </div>
      ) : null}
    </section>
  );
}

function Timeline({ data }: { data: Explained }) {
  if (data.stages.length === 0) return null;
  return (
    <section class="card" aria-label="Timeline">
      <div class="head"><h2>What happened when</h2><span class="muted small">{format.elapsed(data.stages.at(-1)!.at_ms - data.stages[0]!.at_ms)} from first to last stage; it began {format.elapsed(data.stages[0]!.at_ms - data.start_ms)} after the period did</span></div>
      <ol class="timeline">
        {data.stages.map(({ stage, at_ms }, at) => (
          <li key={`${stage} ${at_ms}`} class={stage === "missed" ? "miss" : undefined}>
            <div class="strong">{format.stage(stage)}</div>
            <div class="small"><Time ms={at_ms} day={false} seconds /></div>
            <div class="took">{at > 0 ? `+ ${format.elapsed(at_ms - data.stages[at - 1]!.at_ms)}` : ""}</div>
          </li>
        ))}
      </ol>
    </section>
  );
}

const MARKS: Record<Outcome, [string, string]> = { holds: ["✓", "good"], fails: ["✕", "bad"], unknown: ["?", "high"] };

function Verification({ data, job }: { data: Explained; job: string | null }) {
  const [steps, setSteps] = useState<Step[]>([]);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [isRunning, setRunning] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const run = () => {
    setRunning(true);
    setVerdict(null);
    setSteps([]);
    void verify(data, job, setSteps).then(setVerdict).finally(() => setRunning(false));
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "v" && !event.ctrlKey && !event.metaKey && !event.altKey && !(event.target as HTMLElement | null)?.closest("input, select, textarea, dialog")) button.current?.click();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  useEffect(() => { setVerdict(null); setSteps([]); }, [data]);
  const total: Record<Outcome, [string, string]> = {
    holds: ["ok", "✓ Everything that was checked holds: this network maps these features to this forecast, and the chain's verifier accepts it."],
    fails: ["fail", "✕ It does not hold. Do not rely on what this page shows of this update."],
    unknown: ["warn", "? What could be checked holds, but not everything could be."],
  };
  return (
    <section class="card" aria-label="Verification" data-test="verification">
      <div class="head">
        <h2>Check it yourself</h2>
        <button ref={button} type="button" class="primary" data-test="verify" disabled={isRunning} onClick={run}>{isRunning ? "Checking…" : verdict ? "Check again" : "Verify this update"}</button>
      </div>
      <p class="muted small">This page computes the network in exact integers from the features below, compares every digit, and has the chain's verifier asked through this node. What it does not show: that the features are what public candles give (attestors sign for that; the evidence lets anyone compute it again), nor that the forecast will come true. A node that lies to this page could lie about the chain's answer too: for that, ask a chain node of your own.</p>
      <ul class="verdict" aria-live="polite">
        {steps.map((step) => <li key={step.name}><span class={`mark ${MARKS[step.outcome][1]}`} aria-label={step.outcome}>{MARKS[step.outcome][0]}</span><span><b>{step.name}.</b> {step.detail}</span></li>)}
      </ul>
      {verdict ? <p class={`verdict-total ${total[verdict.outcome][0]}`} role="status" data-test="verdict">{total[verdict.outcome][1]}</p> : null}
      {verdict && verdict.compared.length > 0 ? (
        <details open={verdict.outcome === "fails"} style={{ marginTop: "12px" }}>
          <summary>Outputs, digit by digit</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="Outputs computed here and published">
            <table>
              <thead><tr><th scope="col">Output</th><th scope="col" class="num">Computed here</th><th scope="col" class="num">Published</th><th scope="col">Same</th></tr></thead>
              <tbody>{verdict.compared.map((one) => <tr key={`${one.market} ${one.name}`} class={one.isSame ? undefined : "bad"}><td>{data.markets.length > 1 ? `${one.market} ` : ""}{one.name}</td><td class="num mono">{one.computed}</td><td class="num mono">{one.published}</td><td>{one.isSame ? <span class="good">✓</span> : <span class="bad">✕</span>}</td></tr>)}</tbody>
            </table>
          </div>
        </details>
      ) : null}
    </section>
  );
}

/** A feature's name for people: `log_rms_return minutes=30` → Log rms return, minutes 30. */
export const readable = (name: string): string => {
  const [first = "", ...rest] = name.split(" ");
  return [format.words(first), ...rest.map((part) => part.replace("=", " ").replace(/_/g, " "))].join(", ");
};

const contributionOptions = (names: string[]) => (colours: Palette) => ({
  scales: { x: { time: false, range: [-0.6, names.length - 0.4] as [number, number] } },
  axes: axes(colours, (value) => String(value + 1), (value) => format.signed(value, 2), ["feature, as numbered below", "part of ln(volatility)"]).map((axis, at) => (at === 0 ? { ...axis, splits: () => names.map((_, index) => index) } : axis)),
  series: [{}, bars(colours.high), bars(colours.low)],
});

const bars = (fill: string): uPlot.Series => ({ stroke: fill, fill, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.62, 40] }) });

function Features({ market }: { market: ExplainedMarket }) {
  const rows = useMemo(() => market.features.map((feature, at) => ({ ...feature, at })), [market]);
  const parts = useMemo(() => market.features.map((feature) => feature.contribution?.log_volatility ?? 0), [market]);
  const data = useMemo((): uPlot.AlignedData => [parts.map((_, at) => at), parts.map((part) => (part > 0 ? part : null)), parts.map((part) => (part <= 0 ? part : null))], [parts]);
  const options = useMemo(() => contributionOptions(market.features.map((feature) => feature.name)), [market]);
  const sum = parts.reduce((sum, part) => sum + part, 0);
  const isExact = market.features.every((feature) => feature.contribution);
  const output = market.outputs.find((one) => one.name === "log_volatility");
  const odds = (feature: Feature) => feature.contribution?.log_odds_high ?? null;
  return (
    <section class="card" aria-label="Features">
      <div class="head"><h2>What the model looked at</h2></div>
      {isExact ? (
        <>
          <Plot label={`Contributions to the logarithm of the forecast volatility: ${market.features.map((feature, at) => `${readable(feature.name)} ${format.signed(parts[at], 2)}`).join("; ")}`} height={190} data={data} options={options}
            tell={(index) => { const feature = market.features[index]; return feature ? `${index + 1}: ${readable(feature.name)}, ${format.signed(parts[index], 3)}, which is ${format.signed((Math.exp(parts[index]!) - 1) * 100, 1)} % on the volatility` : ""; }} />
          <p class="muted small">
            Above the line what raised the forecast, below what lowered it. The parts are exact: gradients integrated from the row in which every feature is at its mean.
            {market.neutral && output ? <> There the network says {format.number(market.neutral.log_volatility, 4)}; the parts add {format.signed(sum, 4)}, and that is {format.number(market.neutral.log_volatility + sum, 4)}: {format.volatility(Math.exp(output.value))}.</> : null}
          </p>
        </>
      ) : null}
      <Table id="features" caption={`${market.market} features`} rows={rows} rowKey={(row) => row.at} columns={[
        { key: "number", title: "#", isNumber: true, value: (row) => row.at + 1 },
        { key: "name", title: "Feature", value: (row) => row.name, cell: (row) => <span title={row.name}>{readable(row.name)}</span>, wraps: true },
        { key: "value", title: "Value", isNumber: true, value: (row) => row.value, cell: (row) => <span title={row.unit}>{row.value === null ? "clipped" : format.number(row.value, 4)}</span> },
        { key: "unit", title: "Unit", value: (row) => row.unit, cell: (row) => <span class="muted small">{row.unit}</span> },
        { key: "z", title: "z", hint: "Standard deviations from the training data's mean", isNumber: true, value: (row) => row.z, cell: (row) => <>{format.signed(row.z, 3)}{row.is_clipped ? <> <Badge level="warn" title="It lay outside of what the network takes">clipped</Badge></> : null}</> },
        { key: "integer", title: "Integer", isNumber: true, value: (row) => row.integer, cell: (row) => <span class="mono">{row.integer}</span> },
        { key: "log_volatility", title: "Part of ln(volatility)", isNumber: true, value: (row) => row.contribution?.log_volatility ?? null, cell: (row) => format.signed(row.contribution?.log_volatility, 4) },
        { key: "log_odds_high", title: "Part of log-odds of High", isNumber: true, value: odds, cell: (row) => format.signed(odds(row), 4) },
      ]} />
    </section>
  );
}

const WAYS: Record<string, string> = { ezkl: "EZKL: a proof, verified by a contract", halo2: "halo2: a proof, verified by a contract (its circuit is unaudited)", direct: "direct: the chain computes the network itself, no proof" };

function ProofCard({ data }: { data: Explained }) {
  const { proof } = data;
  const names = data.markets.flatMap((market) => market.features.map((feature, at) => `${market.market} ${at + 1} ${readable(feature.name)}`)).concat(data.markets.flatMap((market) => market.outputs.map((output) => `${market.market} ${output.name}`)));
  const size = proof ? Math.max(0, (proof.bytes.length - 2) / 2) : 0;
  return (
    <section class="card" aria-label="Proof">
      <div class="head"><h2>Proof</h2>{proof ? <Downloads name={`public inputs of period ${data.period.period}`} columns={() => ({ name: names, element: proof.public_inputs, integer: proof.public_inputs.map((one) => decode(one)?.toString() ?? null) })} /> : null}</div>
      {proof ? (
        <>
          <dl class="facts">
            <dt>Way</dt><dd>{WAYS[proof.way] ?? proof.way}</dd>
            <dt>Size</dt><dd>{size > 0 ? `${format.number(size)} bytes` : "none is needed"}</dd>
            <dt>Made in</dt><dd>{format.elapsed(data.period.prove_ms)}</dd>
            <dt>SHA-256</dt><dd><Hash value={proof.sha256} digits={10} /></dd>
            <dt>Verifier</dt><dd><Hash value={proof.verifier} digits={8} /></dd>
            <dt>Public inputs</dt><dd>{proof.public_inputs.length}</dd>
          </dl>
          <details style={{ marginTop: "12px" }}>
            <summary>Public inputs, decoded</summary>
            <div class="scroll" tabIndex={0} role="region" aria-label="Public inputs">
              <table>
                <thead><tr><th scope="col">#</th><th scope="col">What</th><th scope="col" class="num">Integer</th></tr></thead>
                <tbody>{proof.public_inputs.map((element, at) => <tr key={at}><td>{at}</td><td>{names[at] ?? format.NONE}</td><td class="num mono" title={element}>{decode(element)?.toString() ?? "not an integer of ours"}</td></tr>)}</tbody>
              </table>
            </div>
          </details>
          {size > 0 ? <details><summary>Bytes</summary><div class="hex" tabIndex={0}>{proof.bytes}</div><p><Copy text={proof.bytes} what="the proof" label="Copy the proof" /></p></details> : null}
          <details><summary>Call to the verifier</summary><div class="hex" tabIndex={0}>{proof.call_data}</div><p><Copy text={proof.call_data} what="the call's data" label="Copy the data" /></p></details>
        </>
      ) : <p class="muted">{data.is_pruned ? "The proof was deleted with the evidence, because of its age. Its transaction on chain still has it." : "There is none yet."}</p>}
    </section>
  );
}

function Landing({ data, known }: { data: Explained; known: OverviewJob | null }) {
  const { transaction } = data;
  return (
    <section class="card" aria-label="On chain">
      <div class="head"><h2>On chain</h2>{known ? <span class="muted small">{format.chain(known.chain_id)}</span> : null}</div>
      {transaction ? <Paid transaction={transaction} /> : <p class="muted">{data.period.missed ? "Nothing landed." : "Nothing has landed yet."}</p>}
      <h3 style={{ margin: "14px 0 6px" }}>Attestations</h3>
      {data.attestations.length === 0 ? <p class="muted small">{data.is_pruned ? "Deleted with the evidence." : "None is known here."}</p> : (
        <dl class="facts">
          <dt>Digest</dt><dd><Hash value={data.attestation_digest} digits={8} /></dd>
          {data.attestations.map((one, at) => <><dt>Attestor {at + 1}</dt><dd><Hash value={one.signer} digits={8} /> <span class="muted small">signed</span> <Hash value={one.signature} digits={4} /></dd></>)}
        </dl>
      )}
      <h3 style={{ margin: "14px 0 6px" }}>Evidence</h3>
      {data.evidence && !data.is_pruned ? (
        <p><a class="button" href={`./v1/evidence/${data.evidence}`} download data-test="evidence">Download the evidence</a> <span class="muted small">gzip; `veriregime-agent verify-bundle` computes the update again from it. SHA-256 <Hash value={data.evidence} digits={6} /></span></p>
      ) : <p class="muted small">{data.is_pruned ? "The evidence was deleted, because of its age: features and outputs are still here and on chain, and `audit` computes them again from the exchange." : "This node has none of this update: another one's landed, or none did."}</p>}
      <p style={{ marginTop: "12px" }}><Downloads name={`period ${data.period.period}`} columns={() => ({ stage: data.stages.map((one) => one.stage), at_ms: data.stages.map((one) => one.at_ms) })} json={() => data} /> <span class="muted small">everything on this page</span></p>
    </section>
  );
}

function Paid({ transaction }: { transaction: Transaction }) {
  return (
    <dl class="facts">
      <dt>Transaction</dt><dd><Hash value={transaction.hash} digits={8} /></dd>
      <dt>Block</dt><dd>{format.number(transaction.block)}</dd>
      <dt>Gas used</dt><dd>{format.number(transaction.gas_used)}</dd>
      <dt>Gas price</dt><dd>{format.gwei(transaction.effective_gas_price_wei)}{transaction.max_fee_per_gas_wei ? <span class="muted small"> at most {format.gwei(transaction.max_fee_per_gas_wei)}</span> : null}</dd>
      <dt>Fee paid</dt><dd title="On an OP stack the part of L1 is not in it">{format.ether(transaction.paid_wei)}</dd>
      <dt>From</dt><dd><Hash value={transaction.from} digits={8} />{transaction.nonce === null ? null : <span class="muted small"> nonce {transaction.nonce}</span>}</dd>
    </dl>
  );
}

