/** The node at a glance. It begins with what happened last, in a sentence. */

import { Fragment } from "preact";
import { address } from "../api/client";
import type { Change } from "../api/live";
import type { Allocation, Explained, Overview, OverviewJob, OverviewMarket, PeriodView, Yields } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Ago, Badge, Fault, Figure, Figures, Loading, Note, Regime, Stage, Status, Time, Until } from "../components/pieces";
import { Sparkline } from "../components/plot";
import { Table } from "../components/table";
import * as format from "../format";
import { href } from "../route";
import { change, direction, likely, reading } from "../story";

export function OverviewPage({ overview }: PageProps) {
  const regimes = overview.jobs.filter((job) => job.markets.length > 0);
  return (
    <>
      <h1 class="hidden-text">Overview</h1>
      <Lead job={regimes[0] ?? null} overview={overview} />
      <Alerts overview={overview} />
      {regimes.map((job) => (
        <section key={job.name} aria-label={`Markets of ${job.name}`} class="grid">
          {job.markets.map((market) => <MarketCard key={market.name} job={job} market={market} />)}
        </section>
      ))}
      {overview.jobs.some((job) => job.kind === "yield") ? <Strategies /> : null}
      <section class="grid" aria-label="Jobs">
        {overview.jobs.map((job) => <JobCard key={job.name} job={job} />)}
      </section>
    </>
  );
}

/** The newest update that landed, in plain words. */
function Lead({ job, overview }: { job: OverviewJob | null; overview: Overview }) {
  const cycle = job?.last_cycle ?? null;
  const landed = useAnswer<{ periods: PeriodView[] }>(
    job && cycle && !cycle.landed ? address("v1/periods", { job: job.name, limit: 10 }) : null, { on: periodsOf(job?.name ?? null) });
  const update = cycle?.landed ? cycle : landed.data?.periods.find((period) => period.landed) ?? null;
  const explained = useAnswer<Explained>(job && update ? address(`v1/periods/${update.period}/explained`, { job: job.name }) : null);
  if (overview.jobs.length === 0) return <Note><b>This node has no jobs.</b> Name one in its settings; until then there is nothing to see.</Note>;
  if (!job) return null;
  const market = explained.data?.markets.find((market) => !market.is_omitted && market.parameters) ?? explained.data?.markets[0];
  const said = market ? reading(market) : null;
  const rise = market?.parameters && direction(market.parameters) !== "tighter" ? lastRise(job, market.market) : null;
  const hours = job.period_seconds ? job.period_seconds / 3600 : null;
  return (
    <section class="card arrived" aria-label="The newest update" key={update?.period} data-test="story">
      {update && market && said ? (
        <>
          <p class="story">
            <Time ms={explained.data!.start_ms} />, {market.market}: <b>{likely(said.probabilityHigh)}</b>
            {market.parameters ? (
              <>
                {" "}→ collateral <b>{change(market.parameters.before?.borrow_collateral_ratio_bps, market.parameters.after.borrow_collateral_ratio_bps, format.ratio)}</b>,
                {" "}fee <b>{change(market.parameters.before?.amm_fee_pips, market.parameters.after.amm_fee_pips, format.fee)}</b>
                {" "}<Direction word={direction(market.parameters)} />
              </>
            ) : null}
          </p>
          {market.parameters ? <p>{market.parameters.because} <a href={href("update", String(update.period), { job: job.name })}>See why, and check it</a></p> : null}
          {rise ? <p class="small">The parameters last got tighter in the period from <a href={href("update", String(rise.period), { job: job.name })}><Time ms={rise.ms} /></a>: the volatility that they follow rose from {format.volatility(rise.from)} to {format.volatility(rise.to)}.</p> : null}
        </>
      ) : update ? <p class="story muted">The newest update is read…</p> : <p class="story">No update has landed yet.{job.next_period_ms ? <> The next cycle begins in <Until ms={job.next_period_ms} over="a moment" />.</> : null}</p>}
      <p class="muted small">
        Every {hours ?? "few"} hours this node forecasts how much {job.markets.length === 1 ? job.markets[0]!.name : "each market"} will move, shows the contract that exactly the registered model said so,
        and the contract moves the collateral ratio and the swap fee by its owner's policy: tighter before turbulent hours, looser in calm ones. “High” means more than usual: see the line in the chart of the market.
      </p>
    </section>
  );
}

/** The newest period in which the applied volatility of a market rose. */
function lastRise(job: OverviewJob, name: string): { ms: number; period: number; from: number; to: number } | null {
  const recent = job.markets.find((market) => market.name === name)?.recent ?? [];
  for (let at = recent.length - 1; at > 0; at -= 1) {
    const [from, to] = [recent[at - 1]!.applied_volatility, recent[at]!.applied_volatility];
    const ms = recent[at]!.start_ms;
    if (from !== null && to !== null && to > from && job.period_seconds) return { ms, period: Math.floor((ms / 1000 - (job.offset_seconds ?? 0)) / job.period_seconds), from, to };
  }
  return null;
}

const Direction = ({ word }: { word: string }) =>
  word === "tighter" ? <Badge level="warn">▲ tighter</Badge> : word === "looser" ? <Badge level="accent">▽ looser</Badge> : word === "first" ? <Badge level="none">first update</Badge> : <Badge level="none">= unchanged</Badge>;

function Alerts({ overview }: { overview: Overview }) {
  if (overview.alerts.length === 0) return null;
  return (
    <section class="rows" aria-label="Alerts that hold">
      {overview.alerts.map((alert) => (
        <div class="box" key={`${alert.code} ${alert.job} ${alert.since_ms}`} data-test="alert">
          <p><b>{alert.text}</b> <code class="muted">{alert.code}</code></p>
          <p class="muted small">{alert.job ? <>Job {alert.job}, since </> : "Since "}<Time ms={alert.since_ms} /></p>
        </div>
      ))}
    </section>
  );
}

function MarketCard({ job, market }: { job: OverviewJob; market: OverviewMarket }) {
  const { params, recent } = market;
  const newest = recent.at(-1);
  const to = href("market", market.name, { job: job.name });
  return (
    <article class="card" data-test="market-card">
      <div class="head">
        <h2><a href={to}>{market.name}</a></h2>
        {params ? <Status name={params.status} /> : <Badge level="fail" title="The contract could not be read">✕ chain not read {market.params_error ?? ""}</Badge>}
      </div>
      <Figures>
        <Figure name="Collateral ratio" title="Collateral that a new loan needs, of the debt">{format.ratio(params?.borrow_collateral_ratio_bps)}</Figure>
        <Figure name="Swap fee" title="1 bps is 0.01 %">{format.fee(params?.amm_fee_pips)}</Figure>
        <Figure name="P(High)" title="Forecast probability that the period will be one of High volatility">{newest ? <Regime name={newest.probability_high >= 0.5 ? "High" : "Low"} probability={newest.probability_high} /> : format.NONE}</Figure>
        <Figure name="Forecast volatility" title="Standard deviation of one-minute returns">{format.volatility(newest?.volatility)}</Figure>
        <Figure name="Age" title="Since the period of the last update began" plain>{market.age_s === null ? format.NONE : format.duration(market.age_s * 1000)}</Figure>
        <Figure name="Applied volatility" title="What the parameters follow: the forecast behind dwell, margin and rate limits" plain>{format.volatility(params?.applied_volatility)}</Figure>
      </Figures>
      {recent.length > 1 ? (
        <a href={to} aria-label={`Chart of ${market.name}`}>
          <Sparkline label={`Forecast volatility of ${market.name} over the last ${recent.length} periods, newest ${format.volatility(newest?.volatility)}`} values={recent.map((one) => one.volatility)} />
        </a>
      ) : <p class="muted small">The line of its forecasts appears after the second one.</p>}
    </article>
  );
}

/** What is laid out where nobody says how much. */
const CAPITAL_USD = 100_000;

/** What the node's strategies are forecast to yield, and how money would be laid out over them. */
function Strategies() {
  const on = (change: Change) => change.kind === "period";
  const yields = useAnswer<Yields>(address("v1/yields"), { on });
  const allocation = useAnswer<Allocation>(yields.data ? address("v1/allocation", { capital_usd: CAPITAL_USD }) : null, { on });
  // A node may publish what it forecasts of strategies without answering for them.
  if (yields.error?.code === "VR-API-015") return null;
  if (!yields.data) return yields.error ? <Fault error={yields.error} retry={yields.reload} /> : <Loading />;
  const shares = allocation.data?.strategies;
  return (
    <section class="card" aria-label="Strategies" data-test="strategies">
      <div class="head"><h2><a href={href("yields")}>Strategies: mean rate of the next {yields.data.horizon_days} days</a></h2>{shares ? <span class="muted small">weights of {format.dollars(CAPITAL_USD)}, the rest in cash</span> : null}</div>
      <Table id="glance" caption="Strategies at a glance" rows={Object.entries(yields.data.strategies)} rowKey={([name]) => name} columns={[
        { key: "name", title: "Strategy", value: ([name]) => name },
        { key: "kind", title: "Kind", value: ([, one]) => one.kind },
        { key: "apy", title: "Rate a year", isNumber: true, value: ([, one]) => one.prediction?.apy ?? null, cell: ([, one]) => format.share(one.prediction?.apy, 2) },
        { key: "interval", title: "90 % within", isNumber: true, value: ([, one]) => one.prediction?.interval[0] ?? null, cell: ([, one]) => (one.prediction ? <>{format.share(one.prediction.interval[0], 2)} to {format.share(one.prediction.interval[1], 2)}</> : format.NONE) },
        { key: "age", title: "Age, days", isNumber: true, value: ([, one]) => one.prediction?.age_days ?? null },
        { key: "weight", title: "Weight", isNumber: true, value: ([name]) => shares?.[name]?.weight ?? null, cell: ([name]) => format.share(shares?.[name]?.weight) },
        { key: "proof", title: "On chain", value: ([, one]) => one.prediction?.proof?.period ?? null, cell: ([, one]) => (one.prediction?.proof ? <a href={href("update", String(one.prediction.proof.period), { job: one.prediction.proof.job })}>✓ {one.prediction.proof.verification}</a> : format.NONE) },
        { key: "state", title: "State", value: ([, one]) => one.error?.code ?? one.source_error ?? "ok", cell: ([, one]) => (one.error ? <Badge level="fail" title={one.error.message}>✕ {one.error.code}</Badge> : one.source_error ? <Badge level="warn">! {one.source_error}</Badge> : <Badge level="ok">✓ young</Badge>) },
      ]} />
      {allocation.error ? <p class="muted small">No weights: {allocation.error.message} <code>{allocation.error.code}</code></p> : null}
    </section>
  );
}

const ACTIVITY: Record<string, ["ok" | "warn" | "fail" | "accent", string]> = {
  starting: ["accent", "Starting"], waiting: ["ok", "Waiting"], running: ["accent", "Running"], failed: ["fail", "Failed"],
};

/** Checks that say how a vault is. */
const VAULT = new Map([["last update", "Last sale"], ["vault sales", "Sales"], ["electricity", "Price ahead"], ["vault budget", "Budget"], ["vault balance", "Balance"]]);

function JobCard({ job }: { job: OverviewJob }) {
  const [level, word] = ACTIVITY[job.activity.state] ?? (["warn", job.activity.state] as const);
  const { failure } = job.activity;
  const cycle = job.last_cycle;
  const failing = job.checks.filter((check) => check.level !== "ok");
  return (
    <article class="card">
      <div class="head">
        <h2><a href={href("job", job.name)}>{job.name}</a></h2>
        <div><Badge level={level}>{word}</Badge>{job.ready === null ? null : job.ready ? <Badge level="ok">✓ healthy</Badge> : <Badge level="fail">✕ not ready</Badge>}</div>
      </div>
      {failure ? <div class="box"><p><b>{failure.message}</b> <code class="muted">{failure.code}</code></p><p class="muted small">{failure.hint}; tried {failure.tries} times since {failure.since_utc}</p></div> : null}
      <dl class="facts">
        <dt>Kind</dt><dd>{job.kind ?? format.NONE}{job.verification ? `, verified by ${job.verification}` : ""}</dd>
        <dt>Next period</dt><dd>{job.next_period_ms === null ? (job.activity.state === "running" ? "running now" : format.NONE) : <>in <Until ms={job.next_period_ms} over="a moment" />, <Time ms={job.next_period_ms} /></>}</dd>
        <dt>Last outcome</dt>
        <dd>
          {cycle ? <><a href={href("update", String(cycle.period), { job: job.name })}>{cycle.start_utc.replace("T", " ").replace("Z", " UTC")}</a> <Stage name={cycle.stage} code={cycle.missed?.code} /> <span class="muted small"><Ago ms={cycle.updated_ms} /></span></> : "no cycle yet"}
        </dd>
        {cycle?.electricity?.length ? <><dt>Electricity</dt><dd>{cycle.electricity.map((one) => `${one.months} months: ${format.number(one.eur_mwh, 1)}`).join(", ")} EUR/MWh</dd></> : null}
        {cycle?.strategy ? <><dt>Forecast yield</dt><dd>{format.share(cycle.strategy.apy, 2)} a year, 90 % within {format.share(cycle.strategy.interval[0], 2)} to {format.share(cycle.strategy.interval[1], 2)}</dd></> : null}
        {job.kind === "hedge" ? job.checks.filter((check) => VAULT.has(check.name)).map((check) => <Fragment key={check.name}><dt>{VAULT.get(check.name)}</dt><dd class={check.level === "ok" ? undefined : check.level === "fail" ? "bad" : "high"}>{check.figure}</dd></Fragment>) : null}
        <dt>Chain</dt><dd>{format.chain(job.chain_id)}{job.contract ? <> <code title={job.contract}>{format.short(job.contract, 4)}</code></> : null}</dd>
        <dt>Checks</dt>
        <dd>
          {job.checks.length === 0 ? "not made yet" : failing.length === 0 ? `all ${job.checks.length} hold` : (
            <ul class="rows">{failing.map((check) => <li key={check.name}><span class={check.level === "fail" ? "bad" : "high"}>{check.level === "fail" ? "✕" : "!"} {check.name}</span>: {check.figure} {check.code ? <code class="muted">{check.code}</code> : null}{check.hint ? <div class="muted small">{check.hint}</div> : null}</li>)}</ul>
          )}
        </dd>
      </dl>
    </article>
  );
}
