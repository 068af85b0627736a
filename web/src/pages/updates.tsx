/** The newest periods of a job, and older ones on demand. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, address, ask } from "../api/client";
import type { PeriodView, Periods } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Fault, Loading, Note, Regime, Stage, Time } from "../components/pieces";
import { Table, type TableColumn } from "../components/table";
import * as format from "../format";
import { go, href } from "../route";

export default function UpdatesPage({ overview, query }: PageProps) {
  const job = query["job"] ?? overview.jobs[0]?.name;
  if (job === undefined) return <Note>This node has no jobs.</Note>;
  return (
    <>
      <div class="head">
        <h1>Updates</h1>
        {overview.jobs.length > 1 ? <select aria-label="Job" value={job} onChange={(event) => go(href("updates", "", { job: event.currentTarget.value }))}>{overview.jobs.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}</select> : <span class="muted">{job}</span>}
      </div>
      <PeriodTable key={job} job={job} />
    </>
  );
}

const startOf = (period: PeriodView) => Date.parse(period.start_utc);

/** Periods of a job, newest first. */
export function PeriodTable({ job }: { job: string }) {
  const newest = useAnswer<Periods>(address("v1/periods", { job, limit: 50 }), { on: periodsOf(job) });
  const [older, setOlder] = useState<{ periods: PeriodView[]; next: number | null | undefined; error: ApiError | null }>({ periods: [], next: undefined, error: null });
  const [isLoading, setLoading] = useState(false);
  useEffect(() => setOlder({ periods: [], next: undefined, error: null }), [job]);
  const rows = useMemo(() => {
    const first = newest.data?.periods ?? [];
    const known = new Set(first.map((period) => period.period));
    return [...first, ...older.periods.filter((period) => !known.has(period.period))];
  }, [newest.data, older.periods]);
  const next = older.next === undefined ? newest.data?.next_before ?? null : older.next;
  const more = () => {
    setLoading(true);
    ask<Periods>(address("v1/periods", { job, limit: 100, before: next })).then(
      (page) => setOlder({ periods: [...older.periods, ...page.periods], next: page.next_before, error: null }),
      (error: unknown) => setOlder({ ...older, error: error instanceof ApiError ? error : null }),
    ).finally(() => setLoading(false));
  };
  const columns = useMemo((): TableColumn<PeriodView>[] => {
    const has = { regime: rows.some((row) => row.forecasts.length > 0), electricity: rows.some((row) => row.electricity?.length), strategy: rows.some((row) => row.strategy) };
    const months = [...new Set(rows.flatMap((row) => row.electricity?.map((one) => one.months) ?? []))].sort((left, right) => left - right);
    return [
      { key: "start", title: "Period from (UTC)", value: startOf, cell: (row) => <a href={href("update", String(row.period), { job })}><Time ms={startOf(row)} /></a> },
      { key: "stage", title: "Outcome", value: (row) => row.stage, cell: (row) => <Stage name={row.stage} code={row.missed?.code} /> },
      ...(has.regime ? [
        { key: "probability", title: "Forecast, P(High)", value: (row: PeriodView) => row.forecasts[0]?.probability_high ?? null, cell: (row: PeriodView) => <>{row.forecasts.map((one) => <span key={one.market}>{row.forecasts.length > 1 ? `${one.market} ` : ""}<Regime name={one.regime} probability={one.probability_high} /> </span>)}{row.omitted.map((one) => <span class="high small" key={one.market}>{one.market} omitted {one.code}</span>)}</> },
        { key: "volatility", title: "Volatility", isNumber: true, value: (row: PeriodView) => row.forecasts[0]?.volatility ?? null, cell: (row: PeriodView) => format.volatility(row.forecasts[0]?.volatility) },
      ] : []),
      ...(has.electricity ? months.map((month): TableColumn<PeriodView> => ({ key: `months_${month}`, title: `${month} months, EUR/MWh`, isNumber: true, value: (row) => row.electricity?.find((one) => one.months === month)?.eur_mwh ?? null, cell: (row) => format.number(row.electricity?.find((one) => one.months === month)?.eur_mwh, 2) })) : []),
      ...(has.strategy ? [{ key: "apy", title: "Forecast rate a year", isNumber: true, value: (row: PeriodView) => row.strategy?.apy ?? null, cell: (row: PeriodView) => format.share(row.strategy?.apy, 2) }] : []),
      { key: "prove", title: "Proof made in", isNumber: true, value: (row) => row.prove_ms, cell: (row) => format.elapsed(row.prove_ms) },
      { key: "took", title: "Cycle took", isNumber: true, value: (row) => row.updated_ms - row.started_ms, cell: (row) => format.elapsed(row.updated_ms - row.started_ms) },
      { key: "gas", title: "Gas", isNumber: true, value: (row) => row.landed?.gas_used ?? null, cell: (row) => format.number(row.landed?.gas_used) },
      { key: "evidence", title: "Evidence", value: (row) => row.evidence, cell: (row) => (row.evidence ? <a href={`./v1/evidence/${row.evidence}`} download>download</a> : <span class="muted">{format.NONE}</span>) },
    ];
  }, [rows, job]);
  return (
    <section class="card" aria-label={`Periods of ${job}`}>
      {newest.error && !newest.data ? <Fault error={newest.error} retry={newest.reload} /> : null}
      {newest.data ? <Table id="periods" caption={`${job} periods`} rows={rows} columns={columns} rowKey={(row) => row.period} shown={100} /> : newest.error ? null : <Loading />}
      {older.error ? <Fault error={older.error} /> : null}
      {next !== null && newest.data ? <p class="more"><button type="button" disabled={isLoading} onClick={more}>{isLoading ? "Reading…" : "Older periods"}</button></p> : null}
    </section>
  );
}
