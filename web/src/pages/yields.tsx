/** What strategies on chain are forecast to yield, and how money would be laid out over them. */

import { useState } from "preact/hooks";
import { address } from "../api/client";
import type { Allocation, Strategy, Yields } from "../api/types";
import { useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Badge, Fault, Figure, Figures, Loading } from "../components/pieces";
import { Table } from "../components/table";
import * as format from "../format";
import { href, setQuery } from "../route";

export default function YieldsPage({ query }: PageProps) {
  const answer = useAnswer<Yields>(address("v1/yields"), { on: (change) => change.kind === "period" });
  const { data, error } = answer;
  return (
    <>
      <h1>Yields</h1>
      {error && !data ? <Fault error={error} retry={answer.reload} /> : null}
      {!data && !error ? <Loading /> : null}
      {data ? (
        <>
          <section class="card" aria-label="Strategies">
            <div class="head"><h2>Mean rate of the next {data.horizon_days} days</h2><span class="muted small">said at {data.collected_utc.replace("T", " ").replace("Z", " UTC")}</span></div>
            <Table id="strategies" caption="Strategies" rows={Object.entries(data.strategies)} rowKey={([name]) => name} columns={[
              { key: "name", title: "Strategy", value: ([name]) => name },
              { key: "kind", title: "Kind", value: ([, one]) => one.kind },
              { key: "apy", title: "Rate a year", isNumber: true, value: ([, one]) => one.prediction?.apy ?? null, cell: ([, one]) => format.share(one.prediction?.apy, 2) },
              { key: "low", title: "90 % above", isNumber: true, value: ([, one]) => one.prediction?.interval[0] ?? null, cell: ([, one]) => format.share(one.prediction?.interval[0], 2) },
              { key: "high", title: "90 % below", isNumber: true, value: ([, one]) => one.prediction?.interval[1] ?? null, cell: ([, one]) => format.share(one.prediction?.interval[1], 2) },
              { key: "drawdown", title: "Drawdown, 90 days", isNumber: true, value: ([, one]) => one.prediction?.risk?.drawdown_trailing ?? null, cell: ([, one]) => format.share(one.prediction?.risk?.drawdown_trailing, 2) },
              { key: "as_of", title: "Data until", value: ([, one]) => one.prediction?.as_of ?? null },
              { key: "proof", title: "On chain", value: ([, one]) => one.prediction?.proof?.period ?? null, cell: ([, one]) => (one.prediction?.proof ? <a href={href("update", String(one.prediction.proof.period), { job: one.prediction.proof.job })}>✓ {one.prediction.proof.verification}</a> : format.NONE) },
              { key: "state", title: "State", value: ([, one]) => one.error?.code ?? one.source_error ?? "ok", cell: ([, one]) => <State strategy={one} />, wraps: true },
            ]} />
          </section>
          <Lay query={query} />
        </>
      ) : null}
    </>
  );
}

function State({ strategy }: { strategy: Strategy }) {
  if (strategy.error) return <><Badge level="fail">✕ {strategy.error.code}</Badge> <span class="small muted">{strategy.error.message}</span></>;
  if (strategy.source_error) return <Badge level="warn" title="Its publisher brought nothing new">! {strategy.source_error}</Badge>;
  return <Badge level="ok">✓ young</Badge>;
}

function Lay({ query }: { query: Record<string, string> }) {
  const capital = Number(query["capital"]) > 0 ? Number(query["capital"]) : 100_000;
  const [text, setText] = useState(String(capital));
  const answer = useAnswer<Allocation>(address("v1/allocation", { capital_usd: capital, objective: query["objective"] ?? null }));
  const { data, error } = answer;
  return (
    <section class="card" aria-label="Allocation">
      <div class="head"><h2>How money would be laid out</h2>
        <div>
          <label class="small muted">USD <input type="number" min="1" value={text} onInput={(event) => setText(event.currentTarget.value)} onChange={() => Number(text) > 0 && setQuery({ capital: text })} /></label>
          <select aria-label="What is best" value={query["objective"] ?? "mean_variance"} onChange={(event) => setQuery({ objective: event.currentTarget.value })}>
            <option value="mean_variance">rate less variance</option><option value="max_sharpe">rate in deviations</option><option value="min_drawdown">least drawdown</option>
          </select>
        </div>
      </div>
      {error ? <Fault error={error} retry={answer.reload} /> : null}
      {data ? (
        <div class="rows">
          <Figures>
            <Figure name="Expected rate a year" sub={`now ${format.share(data.expected_apy[0], 2)}`}>{format.share(data.expected_apy[1], 2)}</Figure>
            <Figure name={`Expected gain in ${format.number(data.gate_days)} days`}>{format.dollars(data.expected_gain_usd, 2)}</Figure>
            <Figure name="Cost of the moves">{format.dollars(data.cost_usd, 2)}</Figure>
            <Figure name="Left in cash">{format.share(data.cash)}</Figure>
          </Figures>
          <Table id="shares" caption="Shares" rows={Object.entries(data.strategies)} rowKey={([name]) => name} columns={[
            { key: "name", title: "Strategy", value: ([name]) => name },
            { key: "current", title: "Now", isNumber: true, value: ([, one]) => one.current, cell: ([, one]) => format.share(one.current) },
            { key: "target", title: "Best, if moves were free", isNumber: true, value: ([, one]) => one.target, cell: ([, one]) => format.share(one.target) },
            { key: "weight", title: "To hold", isNumber: true, value: ([, one]) => one.weight, cell: ([, one]) => <b>{format.share(one.weight)}</b> },
          ]} />
          <Table id="moves" caption="Moves" rows={data.moves} rowKey={(row) => `${row.from} ${row.to}`} columns={[
            { key: "from", title: "From", value: (row) => row.from }, { key: "to", title: "To", value: (row) => row.to },
            { key: "usd", title: "Amount", isNumber: true, value: (row) => row.usd, cell: (row) => format.dollars(row.usd, 2) },
            { key: "gain", title: "Gain", isNumber: true, value: (row) => row.gain_usd, cell: (row) => format.dollars(row.gain_usd, 2) },
            { key: "cost", title: "Cost", isNumber: true, value: (row) => row.cost_usd, cell: (row) => format.dollars(row.cost_usd, 2) },
            { key: "made", title: "Made", value: (row) => row.is_made, cell: (row) => (row.is_made ? <Badge level="ok">✓ pays</Badge> : <Badge level="none">stays</Badge>) },
            { key: "why", title: "Why", value: (row) => row.why, wraps: true },
          ]} />
          <p class="muted small">A calculation; nothing is moved by it. Forecasts are no promises.</p>
        </div>
      ) : error ? null : <Loading />}
    </section>
  );
}
