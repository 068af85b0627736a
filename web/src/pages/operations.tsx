/** What an operator looks at: transactions and their cost, RPCs and sources, the wallet, every period as a tile, the log. */

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { address, ask, ApiError } from "../api/client";
import { useChanges, type Change } from "../api/live";
import type { LogEntry, Operations, OverviewJob, SentTransaction } from "../api/types";
import { useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Downloads } from "../components/download";
import { Badge, Fault, Figure, Figures, Hash, Loading, Note, Time, type Level } from "../components/pieces";
import { Table } from "../components/table";
import { TimeChart, type Pane } from "../components/time-chart";
import * as format from "../format";
import { go, href, setQuery } from "../route";

const on = (change: Change) => change.kind === "period" || change.kind === "checks";

export default function OperationsPage({ overview, query }: PageProps) {
  const name = query["job"] ?? overview.jobs[0]?.name;
  const job = overview.jobs.find((one) => one.name === name);
  const answer = useAnswer<Operations>(name === undefined ? null : address("v1/operations", { job: name }), { on, everyMs: 30_000 });
  if (name === undefined) return <Note>This node has no jobs.</Note>;
  const { data, error } = answer;
  return (
    <>
      <div class="head">
        <h1>Operations</h1>
        {overview.jobs.length > 1 ? <select aria-label="Job" value={name} onChange={(event) => go(href("operations", "", { job: event.currentTarget.value }))}>{overview.jobs.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}</select> : <span class="muted">{name}</span>}
      </div>
      {job ? <Checks job={job} /> : null}
      {error && !data ? <Fault error={error} retry={answer.reload} /> : null}
      {data ? <Told data={data} job={name} periodSeconds={job?.period_seconds ?? 14_400} /> : error ? null : <Loading />}
      <Log query={query} />
    </>
  );
}

const LEVELS: Record<string, [Level, string]> = { ok: ["ok", "✓"], warn: ["warn", "!"], fail: ["fail", "✕"] };

function Checks({ job }: { job: OverviewJob }) {
  return (
    <section class="card" aria-label="Checks">
      <div class="head"><h2>Checks</h2>{job.ready === null ? <span class="muted">not made yet</span> : <Badge level={job.ready ? "ok" : "fail"}>{job.ready ? "✓ ready" : "✕ not ready"}</Badge>}</div>
      <Table id="checks" caption={`${job.name} checks`} rows={job.checks} rowKey={(row) => row.name} columns={[
        { key: "name", title: "What", value: (row) => row.name },
        { key: "level", title: "How", value: (row) => row.level, cell: (row) => { const [level, mark] = LEVELS[row.level] ?? (["none", "?"] as const); return <Badge level={level}>{mark} {row.level}</Badge>; } },
        { key: "figure", title: "Seen", value: (row) => row.figure, wraps: true },
        { key: "code", title: "Code", value: (row) => row.code },
        { key: "hint", title: "What to do", value: (row) => row.hint, wraps: true },
      ]} />
    </section>
  );
}

function Told({ data, job, periodSeconds }: { data: Operations; job: string; periodSeconds: number }) {
  const cost = useMemo(() => costs(data.transactions), [data]);
  return (
    <>
      <div class="half">
        <section class="card" aria-label="Wallet">
          <div class="head"><h2>Wallet</h2></div>
          {data.wallet ? (
            <Figures>
              <Figure name="Balance">{format.ether(data.wallet.balance_wei)}</Figure>
              <Figure name="Updates left" title="At the cost of the last ones"><span class={data.wallet.updates_left !== null && data.wallet.updates_left < 20 ? "bad" : undefined}>{format.number(data.wallet.updates_left)}</span></Figure>
              <Figure name="Address" plain><Hash value={data.wallet.address} digits={6} /></Figure>
            </Figures>
          ) : <p class="muted">This job's node sends nothing, or the chain has not told its balance yet.</p>}
        </section>
        <section class="card" aria-label="Cost">
          <div class="head"><h2>Cost of the last {cost.count} updates</h2></div>
          <Figures>
            <Figure name="Gas, mean">{format.number(cost.meanGas)}</Figure>
            <Figure name="Fee cap, mean">{cost.meanCap === null ? format.NONE : `${format.number(cost.meanCap, 2)} gwei`}</Figure>
            <Figure name="Replaced">{format.number(cost.replaced)}</Figure>
          </Figures>
        </section>
      </div>
      <Heat heat={data.heat} job={job} periodSeconds={periodSeconds} />
      <div class="half">
        <section class="card" aria-label="RPCs">
          <div class="head"><h2>RPCs</h2></div>
          <Table id="rpcs" caption="RPCs" rows={data.endpoints} rowKey={(row) => `${row.name} ${row.kind}`} columns={[
            { key: "name", title: "Host", value: (row) => row.name },
            { key: "kind", title: "For", value: (row) => row.kind },
            { key: "state", title: "State", value: (row) => row.state, cell: (row) => <Badge level={["ok", "good", "used", "healthy"].includes(row.state) ? "ok" : "warn"}>{row.state}</Badge> },
            { key: "latency_ms", title: "Latency", isNumber: true, value: (row) => row.latency_ms, cell: (row) => format.elapsed(row.latency_ms) },
            { key: "head", title: "Head", isNumber: true, value: (row) => row.head, cell: (row) => format.number(row.head) },
            { key: "errors", title: "Errors", isNumber: true, value: (row) => row.errors },
          ]} />
        </section>
        <section class="card" aria-label="Sources">
          <div class="head"><h2>Sources</h2></div>
          <Table id="sources" caption="Sources" rows={data.sources} rowKey={(row) => row.name} columns={[
            { key: "name", title: "Source", value: (row) => row.name },
            { key: "state", title: "State", value: (row) => row.state, cell: (row) => <Badge level={["ok", "good", "used", "healthy"].includes(row.state) ? "ok" : "warn"}>{row.state}</Badge> },
            { key: "latency_ms", title: "Latency", isNumber: true, value: (row) => row.latency_ms, cell: (row) => format.elapsed(row.latency_ms) },
            { key: "disagreement_bps", title: "Off by", hint: "How far its closes lie from the others'", isNumber: true, value: (row) => row.disagreement_bps, cell: (row) => (row.disagreement_bps === null ? format.NONE : `${format.number(row.disagreement_bps, 2)} bps`) },
            { key: "requests", title: "Requests", isNumber: true, value: (row) => row.requests, cell: (row) => format.number(row.requests) },
            { key: "errors", title: "Errors", isNumber: true, value: (row) => row.errors, cell: (row) => format.number(row.errors) },
          ]} />
        </section>
      </div>
      <Transactions rows={data.transactions} job={job} />
    </>
  );
}

const gweiOf = (wei: string): number | null => (/^\d{1,30}$/.test(wei) ? Number(wei) / 1e9 : null);

function costs(rows: SentTransaction[]) {
  const landed = rows.filter((row) => row.landed);
  const mean = (values: number[]) => (values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
  return {
    count: landed.length, meanGas: mean(landed.map((row) => row.landed!.gas_used)), meanCap: mean(landed.map((row) => gweiOf(row.max_fee_per_gas_wei)).filter((value) => value !== null)),
    replaced: rows.filter((row) => row.is_replaced).length,
  };
}

function Transactions({ rows, job }: { rows: SentTransaction[]; job: string }) {
  const panes = useMemo((): Pane[] => {
    const landed = [...rows].filter((row) => row.landed).sort((left, right) => left.start_ms - right.start_ms || left.signed_ms - right.signed_ms);
    const unique = landed.filter((row, at) => landed[at + 1]?.start_ms !== row.start_ms);
    return [
      { name: "Fee cap", height: 120, lines: [{ name: "gwei", kind: "step", colour: "accent", show: (value) => `${format.number(value, 2)} gwei`, points: unique.map((row) => ({ time: row.start_ms / 1000, value: gweiOf(row.max_fee_per_gas_wei) })) }] },
      { name: "Gas", height: 90, lines: [{ name: "used", kind: "dots", colour: "high", show: (value) => format.number(value), points: unique.map((row) => ({ time: row.start_ms / 1000, value: row.landed!.gas_used })) }] },
    ];
  }, [rows]);
  return (
    <section class="card" aria-label="Transactions">
      <div class="head"><h2>Transactions</h2><Downloads name={`${job} transactions in full`} columns={() => ({ period: rows.map((row) => row.period), nonce: rows.map((row) => row.nonce), hash: rows.map((row) => row.hash), wallet: rows.map((row) => row.wallet), max_fee_per_gas_wei: rows.map((row) => row.max_fee_per_gas_wei), gas_used: rows.map((row) => row.landed?.gas_used ?? null) })} json={() => rows} /></div>
      {rows.length === 0 ? <p class="muted">This node has signed none that it still knows.</p> : (
        <>
          {panes[0]!.lines[0]!.points!.length > 1 ? <TimeChart label="Fee cap and gas of the transactions that landed" panes={panes} range={null} rangeKey={job} /> : null}
          <Table id="transactions" caption={`${job} transactions`} rows={rows} shown={20} rowKey={(row) => row.hash} columns={[
            { key: "period", title: "Period from (UTC)", value: (row) => row.start_ms, cell: (row) => <a href={href("update", String(row.period), { job })}><Time ms={row.start_ms} /></a> },
            { key: "nonce", title: "Nonce", isNumber: true, value: (row) => row.nonce },
            { key: "purpose", title: "For", value: (row) => row.purpose, cell: (row) => (row.purpose === "cancel" ? <Badge level="warn">cancel</Badge> : row.purpose) },
            { key: "hash", title: "Hash", value: (row) => row.hash, cell: (row) => <Hash value={row.hash} /> },
            { key: "signed", title: "Signed (UTC)", value: (row) => row.signed_ms, cell: (row) => <Time ms={row.signed_ms} day={false} seconds /> },
            { key: "cap", title: "Fee cap", isNumber: true, value: (row) => gweiOf(row.max_fee_per_gas_wei), cell: (row) => format.gwei(row.max_fee_per_gas_wei) },
            { key: "tip", title: "Tip", isNumber: true, value: (row) => gweiOf(row.priority_fee_wei), cell: (row) => format.gwei(row.priority_fee_wei) },
            { key: "block", title: "Block", isNumber: true, value: (row) => row.landed?.block ?? null, cell: (row) => format.number(row.landed?.block) },
            { key: "gas", title: "Gas", isNumber: true, value: (row) => row.landed?.gas_used ?? null, cell: (row) => format.number(row.landed?.gas_used) },
            { key: "outcome", title: "Outcome", value: (row) => (row.landed ? "landed" : row.is_replaced ? "replaced" : "open"), cell: (row) => (row.landed ? <Badge level="ok">✓ landed</Badge> : row.is_replaced ? <Badge level="none">replaced</Badge> : <Badge level="accent">open</Badge>) },
          ]} />
        </>
      )}
    </section>
  );
}

/** Seconds after the period's start from which on an update counts as slow. */
const SLOW_S = 120;

function Heat({ heat, job, periodSeconds }: { heat: Operations["heat"]; job: string; periodSeconds: number }) {
  const [rowsShown, setRowsShown] = useState(21);
  const slots = Math.max(1, Math.min(24, Math.round(86_400 / periodSeconds)));
  const isDaily = periodSeconds < 86_400;
  const days = useMemo(() => {
    const groups = new Map<string, Operations["heat"]>();
    for (const one of heat) {
      const key = isDaily ? format.utcDay(one.start_ms) : format.utcDay(one.start_ms).slice(0, 7);
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    return [...groups].sort(([left], [right]) => right.localeCompare(left));
  }, [heat, isDaily]);
  const kind = (one: Operations["heat"][number]) => one.stage === "missed" ? "missed" : one.stage === "already_by_other" ? "other" : one.stage !== "confirmed" ? "running" : (one.seconds_after_start ?? 0) > SLOW_S ? "slow" : "done";
  const said = (one: Operations["heat"][number]) => `${format.utc(one.start_ms)}: ${format.stage(one.stage)}${one.seconds_after_start === null ? "" : `, ${format.number(one.seconds_after_start, 1)} s after the start`}${one.code ? `, ${one.code}` : ""}`;
  const counts = heat.reduce<Record<string, number>>((counts, one) => ({ ...counts, [kind(one)]: (counts[kind(one)] ?? 0) + 1 }), {});
  return (
    <section class="card" aria-label="Periods">
      <div class="head"><h2>Every period</h2><Downloads name={`${job} periods`} columns={() => ({ period: heat.map((one) => one.period), start_ms: heat.map((one) => one.start_ms), stage: heat.map((one) => one.stage), seconds_after_start: heat.map((one) => one.seconds_after_start), code: heat.map((one) => one.code) })} /></div>
      <p class="small muted" style={{ marginBottom: "8px" }}>
        Of {heat.length}: <span class="good">{counts["done"] ?? 0} landed</span>, <span class="high">{counts["slow"] ?? 0} later than {SLOW_S} s</span>, {counts["other"] ?? 0} by another node, <span class="bad">{counts["missed"] ?? 0} missed (striped)</span>, {counts["running"] ?? 0} on their way. One row a {isDaily ? "day" : "month"}, UTC.
      </p>
      {days.slice(0, rowsShown).map(([day, periods]) => {
        const at = (slot: number) => periods.find((one) => isDaily ? Math.floor((one.start_ms % 86_400_000) / (86_400_000 / slots)) === slot : false);
        const cells = isDaily ? Array.from({ length: slots }, (_, slot) => at(slot)) : periods;
        return (
          <div class="heat-row" key={day} style={{ "--slots": String(isDaily ? slots : 31) }}>
            <span>{day}</span>
            {cells.map((one, slot) => (one ? <a key={slot} class={kind(one)} href={href("update", String(one.period), { job })} title={said(one)} aria-label={said(one)} /> : <span class="cell" key={slot} />))}
          </div>
        );
      })}
      {days.length > rowsShown ? <p class="more"><button type="button" onClick={() => setRowsShown(rowsShown * 3)}>Show more of {days.length} {isDaily ? "days" : "months"}</button></p> : null}
    </section>
  );
}

/** Lines that are kept here. */
const LINES = 500;
const POLL_MS = 5_000;

function Log({ query }: { query: Record<string, string> }) {
  const [entries, setEntries] = useState<LogEntry[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  const last = useRef<number | null>(null);
  const level = query["level"] ?? "";
  const more = useCallback((isNew = false) => {
    if (isNew) last.current = null;
    ask<{ entries: LogEntry[] }>(address("v1/logs", { after: last.current, limit: 200 })).then(
      ({ entries }) => {
        const isFirst = last.current === null;
        if (entries.length > 0) last.current = Math.max(...entries.map((entry) => entry.seq));
        setEntries((before) => (isFirst ? entries : [...before, ...entries]).slice(-LINES));
        setError(null);
      },
      (error: unknown) => setError(error instanceof ApiError ? error : null),
    );
  }, []);
  useEffect(() => {
    more();
    const timer = setInterval(() => { if (!document.hidden) more(); }, POLL_MS);
    return () => clearInterval(timer);
  }, [more]);
  useChanges(useCallback((change: Change) => { if (change.kind === "restart") more(true); }, [more]));
  const ranks = ["ERROR", "WARN", "INFO"];
  const shown = entries.filter((entry) => level === "" || ranks.indexOf(entry.level) <= ranks.indexOf(level) && ranks.includes(entry.level)).reverse();
  const said = (fields: unknown) => (typeof fields === "object" && fields !== null ? Object.entries(fields).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ") : "");
  const tone: Record<string, string> = { ERROR: "bad", WARN: "high" };
  return (
    <section class="card" aria-label="Log">
      <div class="head"><h2>Log, newest first</h2>
        <div>
          <select aria-label="Least level" value={level} onChange={(event) => setQuery({ level: event.currentTarget.value || null })}><option value="">every level</option><option value="INFO">info and worse</option><option value="WARN">warnings and errors</option><option value="ERROR">errors</option></select>
          <Downloads name="log" columns={() => ({ seq: shown.map((one) => one.seq), time_ms: shown.map((one) => one.time_ms), level: shown.map((one) => one.level), target: shown.map((one) => one.target), message: shown.map((one) => one.message), fields: shown.map((one) => one.fields) })} json={() => shown} />
        </div>
      </div>
      {error && entries.length === 0 ? <Fault error={error} retry={() => more()} /> : null}
      {entries.length === 0 && !error ? <p class="muted">No line yet.</p> : null}
      {shown.length > 0 ? <div class="log" tabIndex={0} role="log" aria-label="Lines of the log" aria-live="off">
        {shown.map((entry) => <div key={entry.seq}><Time ms={entry.time_ms} day={false} seconds /><span class={tone[entry.level] ?? "muted"}>{entry.level}</span><span><b>{entry.message}</b> <span class="muted">{entry.target} {said(entry.fields)}</span></span></div>)}
      </div> : null}
      <p class="muted small">The newest lines that the node keeps, without keys, and of addresses no more than their host.</p>
    </section>
  );
}
