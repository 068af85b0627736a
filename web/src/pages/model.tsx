/** The model's card, live: what it looks at, how good it was measured to be, whether its inputs drift, and which versions there were. */

import { useMemo } from "preact/hooks";
import uPlot from "uplot";
import { address } from "../api/client";
import type { ModelCard, ModelView } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Calibration } from "../components/calibration";
import { Downloads } from "../components/download";
import { Markdown } from "../components/markdown";
import { Badge, Fault, Figure, Figures, Hash, Loading, Note, Time } from "../components/pieces";
import { Plot, axes, type PlotOptions } from "../components/plot";
import { Table } from "../components/table";
import * as format from "../format";
import { go, href } from "../route";
import type { Palette } from "../theme";
import { readable } from "./update";

export default function ModelPage({ overview, query }: PageProps) {
  const job = query["job"] ?? overview.jobs[0]?.name;
  const on = useMemo(() => periodsOf(job ?? null), [job]);
  const model = useAnswer<ModelView>(job === undefined ? null : address("v1/model", { job }));
  const card = useAnswer<ModelCard>(job === undefined ? null : address("v1/model/card", { job }), { on });
  if (job === undefined) return <Note>This node has no jobs.</Note>;
  return (
    <>
      <div class="head">
        <div><h1>{model.data?.model_id ?? "Model"}</h1>{model.data ? <Badge level="accent">verified by {model.data.verification}</Badge> : null}</div>
        {overview.jobs.length > 1 ? <select aria-label="Job" value={job} onChange={(event) => go(href("model", "", { job: event.currentTarget.value }))}>{overview.jobs.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}</select> : null}
      </div>
      {model.error && !model.data ? <Fault error={model.error} retry={model.reload} /> : null}
      {model.data ? <Facts model={model.data} /> : null}
      {card.error && !card.data ? <Fault error={card.error} retry={card.reload} /> : null}
      {card.data ? <Card card={card.data} job={job} /> : card.error ? null : <Loading what="Reading the card" />}
    </>
  );
}

/** Above what markets are High: one number where it is the same for all. */
function thresholds(model: ModelView): number[] {
  const all = model.market_thresholds ?? [];
  return all.some((one) => one !== all[0]) ? all : [model.threshold_volatility ?? 0];
}

function Facts({ model }: { model: ModelView }) {
  return (
    <section class="card" aria-label="In short">
      <Figures>
        <Figure name="Forecasts" plain>{model.markets.map((market) => market.name).join(", ")}</Figure>
        <Figure name="Every">{format.duration(model.period_seconds * 1000)}</Figure>
        <Figure name="Looks ahead">{format.duration(model.horizon_minutes * 60_000)}</Figure>
        <Figure name="Looks back">{format.duration(model.lookback_minutes * 60_000)}</Figure>
        {model.threshold_volatility === undefined ? null : <Figure name="High above">{thresholds(model).map(format.volatility).join(", ")}</Figure>}
        <Figure name="Proof" sub={`${model.instances} public inputs`}>{model.proof_bytes > 0 ? `${format.number(model.proof_bytes)} bytes` : "none"}</Figure>
      </Figures>
      <p class="muted small" style={{ marginTop: "10px" }}>Manifest SHA-256 <Hash value={model.manifest_sha256} digits={8} />, verifier's code <Hash value={model.verifier_code_hash} digits={8} /></p>
    </section>
  );
}

function Card({ card, job }: { card: ModelCard; job: string }) {
  const importance = useMemo(() => [...card.importance].sort((left, right) => right.mean_abs_log_volatility - left.mean_abs_log_volatility), [card]);
  const reliability = useMemo(() => card.reliability, [card]);
  return (
    <>
      <Measured metrics={card.metrics} />
      <div class="half">
        <section class="card" aria-label="Importance">
          <div class="head"><h2>What moves its forecasts</h2></div>
          {importance.length > 0 ? <Importance rows={importance} /> : <p class="muted">Not known of this kind of network.</p>}
        </section>
        <section class="card" aria-label="Reliability">
          <div class="head"><h2>Reliability on the test split</h2><Downloads name={`${card.model_id} reliability`} columns={() => ({ forecast: reliability.map((one) => one.forecast), observed: reliability.map((one) => one.observed), count: reliability.map((one) => one.count) })} /></div>
          {reliability.length > 0 ? <Calibration bins={reliability} /> : <p class="muted">The bundle has no table of it.</p>}
          <p class="muted small">As measured when the model was made, on data that it had not seen. How it does live is on the market's page.</p>
        </section>
      </div>
      <section class="card" aria-label="Drift">
        <div class="head"><h2>Do its inputs still look as in training?</h2></div>
        {card.drift.length === 0 ? <p class="muted">No stored period has features yet.</p> : (
          <>
            <p class="muted small" style={{ marginBottom: "6px" }}>Of the last {card.drift[0]!.periods} stored periods. In training every feature had mean 0 and standard deviation 1; marked are means beyond ±1, and features that are clipped in more than one period of twenty.</p>
            <Table id="drift" caption={`${card.model_id} drift`} rows={card.drift} rowKey={(row) => row.feature} columns={[
              { key: "feature", title: "Feature", value: (row) => row.feature, cell: (row) => readable(row.feature), wraps: true },
              { key: "mean_z", title: "Mean z", isNumber: true, value: (row) => row.mean_z, cell: (row) => <span class={Math.abs(row.mean_z) > 1 ? "high strong" : undefined}>{format.signed(row.mean_z, 3)}{Math.abs(row.mean_z) > 1 ? " !" : ""}</span> },
              { key: "std_z", title: "Standard deviation of z", isNumber: true, value: (row) => row.std_z, cell: (row) => format.number(row.std_z, 3) },
              { key: "share_clipped", title: "Clipped", isNumber: true, value: (row) => row.share_clipped, cell: (row) => <span class={row.share_clipped > 0.05 ? "high strong" : undefined}>{format.share(row.share_clipped)}{row.share_clipped > 0.05 ? " !" : ""}</span> },
            ]} />
          </>
        )}
      </section>
      <section class="card" aria-label="Versions">
        <div class="head"><h2>Versions and rotation</h2></div>
        <Table id="versions" caption={`${job} versions`} rows={card.versions} rowKey={(row) => row.manifest_sha256} columns={[
          { key: "model_id", title: "Model", value: (row) => row.model_id, cell: (row) => <>{row.model_id} {row.is_current ? <Badge level="ok">✓ current</Badge> : null}</> },
          { key: "manifest_sha256", title: "Manifest", value: (row) => row.manifest_sha256, cell: (row) => <Hash value={row.manifest_sha256} /> },
          { key: "first", title: "First period (UTC)", value: (row) => row.first_start_ms, cell: (row) => <a href={href("update", String(row.first_period), { job })}><Time ms={row.first_start_ms} /></a> },
          { key: "last", title: "Last period (UTC)", value: (row) => row.last_start_ms, cell: (row) => <a href={href("update", String(row.last_period), { job })}><Time ms={row.last_start_ms} /></a> },
          { key: "periods", title: "Periods", isNumber: true, value: (row) => row.last_period - row.first_period + 1, cell: (row) => format.number(row.last_period - row.first_period + 1) },
        ]} />
      </section>
      {card.card_markdown ? <section class="card" aria-label="Model card"><details open><summary>Model card, as it lies in the bundle</summary><Markdown text={card.card_markdown} label="model card" /></details></section> : <Note>The bundle has no card.</Note>}
      {card.verification_markdown ? <section class="card" aria-label="Verification"><details open><summary>How it is verified</summary><Markdown text={card.verification_markdown} label="verification" /></details></section> : null}
    </>
  );
}

interface Measure { value: number; standard_error: number }

/** A figure with its error out of metrics of any shape. */
function measure(metrics: unknown, path: string[]): Measure | null {
  let at: unknown = metrics;
  for (const part of path) at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[part] : undefined;
  const found = at as Partial<Measure> | undefined;
  return typeof found?.value === "number" && typeof found.standard_error === "number" ? { value: found.value, standard_error: found.standard_error } : null;
}

const FORECASTERS: [string, string][] = [["student_circuit", "This model, as proven"], ["teacher", "Its teacher, too large to prove"], ["har_volatility", "HAR-RV"], ["har_logistic", "HAR logistic"], ["garch", "GARCH(1,1)"], ["persistence", "Persistence"]];
const MEASURES: [string, string, boolean][] = [["accuracy", "Right regime", true], ["auc", "AUC", false], ["brier", "Brier", false], ["ece", "ECE", true], ["qlike", "QLIKE", false]];

function Measured({ metrics }: { metrics: unknown }) {
  const rows = FORECASTERS.map(([key, name]) => ({ name, figures: MEASURES.map(([figure]) => measure(metrics, ["forecasters", key, "every_minute", "figures", figure])) })).filter((row) => row.figures.some(Boolean));
  if (rows.length === 0) return null;
  return (
    <section class="card" aria-label="Figures">
      <div class="head"><h2>How good it is, with errors</h2></div>
      <Table id="figures" caption="Figures of the test split" rows={rows} rowKey={(row) => row.name} columns={[
        { key: "name", title: "Who", value: (row) => row.name },
        ...MEASURES.map(([key, title, isShare], at) => ({
          key, title, isNumber: true, value: (row: (typeof rows)[number]) => row.figures[at]?.value ?? null,
          cell: (row: (typeof rows)[number]) => { const one = row.figures[at]; return one ? <>{isShare ? format.number(one.value * 100, 2) : format.number(one.value, 4)} <span class="muted small">± {isShare ? `${format.number(one.standard_error * 100, 2)} %` : format.number(one.standard_error, 4)}</span></> : format.NONE; },
        })),
      ]} />
      <p class="muted small">On the test split, every minute, ± one standard error. Higher is better for right regimes and AUC, lower for the others.</p>
    </section>
  );
}

function Importance({ rows }: { rows: ModelCard["importance"] }) {
  const data = useMemo((): uPlot.AlignedData => [rows.map((_, at) => at), rows.map((row) => row.mean_abs_log_volatility)], [rows]);
  const options = useMemo(() => (colours: Palette): PlotOptions => ({
    scales: { x: { time: false, range: [-0.6, rows.length - 0.4] }, y: { range: (_, __, most) => [0, most * 1.08] } },
    axes: axes(colours, (value) => String(value + 1), (value) => format.number(value, 2), ["feature, as numbered below", "mean |part of ln(volatility)|"]).map((axis, at) => (at === 0 ? { ...axis, splits: () => rows.map((_, index) => index) } : axis)),
    series: [{}, { stroke: colours.accent, fill: colours.accent, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.62, 40] }) }],
  }), [rows]);
  return (
    <>
      <Plot label="Mean size of the contributions" height={190} data={data} options={options} tell={(index) => { const row = rows[index]; return row ? `${index + 1}: ${readable(row.feature)}, ${format.number(row.mean_abs_log_volatility, 4)}` : ""; }} />
      <Table id="importance" caption="Importance" shown={6} rows={rows.map((row, at) => ({ ...row, at }))} rowKey={(row) => row.feature} columns={[
        { key: "number", title: "#", isNumber: true, value: (row) => row.at + 1 },
        { key: "feature", title: "Feature", value: (row) => row.feature, cell: (row) => readable(row.feature), wraps: true },
        { key: "volatility", title: "ln(volatility)", isNumber: true, value: (row) => row.mean_abs_log_volatility, cell: (row) => format.number(row.mean_abs_log_volatility, 4) },
        { key: "logit", title: "logit of High", isNumber: true, value: (row) => row.mean_abs_logit, cell: (row) => format.number(row.mean_abs_logit, 4) },
      ]} />
    </>
  );
}
