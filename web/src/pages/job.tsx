/** A job by itself: what it does, its forecasts over time, its periods. */

import { useMemo } from "preact/hooks";
import { address } from "../api/client";
import type { PeriodView, Periods } from "../api/types";
import { periodsOf, useAnswer } from "../api/use";
import type { PageProps } from "../app";
import { Downloads } from "../components/download";
import { Badge, Note } from "../components/pieces";
import { TimeChart, type Line, type Pane } from "../components/time-chart";
import * as format from "../format";
import { href } from "../route";
import type { Colour } from "../theme";
import { PeriodTable } from "./updates";

const COLOURS: Colour[] = ["accent", "high", "good", "third"];

export default function JobPage({ overview, name }: PageProps) {
  const job = overview.jobs.find((job) => job.name === name);
  const on = useMemo(() => periodsOf(name), [name]);
  const answer = useAnswer<Periods>(job ? address("v1/periods", { job: name, limit: 100 }) : null, { on });
  const periods = useMemo(() => [...(answer.data?.periods ?? [])].reverse(), [answer.data]);
  const panes = useMemo(() => build(periods), [periods]);
  if (!job) return <Note level="warn"><p><b>This node has no job “{name}”.</b></p><p>It has {overview.jobs.map((one, at) => <>{at > 0 ? ", " : ""}<a href={href("job", one.name)}>{one.name}</a></>)}.</p></Note>;
  return (
    <>
      <div class="head"><div><h1>{job.name}</h1>{job.kind ? <Badge level="accent">{job.kind}</Badge> : null}<span class="muted">{job.model_id ?? ""}{job.verification ? `, verified by ${job.verification}` : ""}, {format.chain(job.chain_id)}</span></div>
        <div>{job.markets.map((market) => <a class="button" key={market.name} href={href("market", market.name, { job: job.name })}>Chart of {market.name}</a>)}<a class="button" href={href("model", "", { job: job.name })}>Its model</a><a class="button" href={href("operations", "", { job: job.name })}>Its operations</a></div>
      </div>
      {panes.length > 0 ? (
        <section class="card" aria-label="Forecasts">
          <div class="head"><h2>Forecasts of the last {periods.length} periods</h2><Downloads name={`${name} forecasts`} columns={() => flat(periods)} json={() => periods} /></div>
          <TimeChart label={`Forecasts of ${name}`} panes={panes} range={null} rangeKey={name} />
        </section>
      ) : null}
      <PeriodTable job={job.name} />
    </>
  );
}

const start = (period: PeriodView) => Date.parse(period.start_utc) / 1000;

function build(periods: PeriodView[]): Pane[] {
  const months = [...new Set(periods.flatMap((period) => period.electricity?.map((one) => one.months) ?? []))].sort((left, right) => left - right);
  if (months.length > 0) {
    const price = (value: number) => `${format.number(value, 2)} EUR/MWh`;
    const told = periods.filter((period) => period.electricity?.length);
    const lines = months.slice(0, 4).map((month, at): Line => ({ name: `next ${month} months`, kind: "line", colour: COLOURS[at]!, show: price, points: told.map((period) => ({ time: start(period), value: period.electricity!.find((one) => one.months === month)?.eur_mwh ?? null })) }));
    return [{ name: "Electricity", height: 240, lines: [{ name: "last month", kind: "step", isDashed: true, colour: "muted", show: price, points: told.map((period) => ({ time: start(period), value: period.electricity![0]!.last_month_eur_mwh })) }, ...lines] }];
  }
  const told = periods.filter((period) => period.strategy);
  if (told.length === 0) return [];
  const rate = (value: number) => format.share(value, 2);
  const line = (name: string, colour: Colour, isDashed: boolean, value: (period: PeriodView) => number | null): Line => ({ name, kind: "line", colour, isDashed, show: rate, points: told.map((period) => ({ time: start(period), value: value(period) })) });
  return [{ name: "Rate a year", height: 240, lines: [line("90 % above", "muted", true, (period) => period.strategy!.interval[0] ?? null), line("90 % below", "muted", true, (period) => period.strategy!.interval[1] ?? null), line("forecast", "accent", false, (period) => period.strategy!.apy)] }];
}

function flat(periods: PeriodView[]) {
  return {
    period: periods.map((one) => one.period), start_utc: periods.map((one) => one.start_utc), electricity: periods.map((one) => one.electricity ?? null),
    apy: periods.map((one) => one.strategy?.apy ?? null), low: periods.map((one) => one.strategy?.interval[0] ?? null), high: periods.map((one) => one.strategy?.interval[1] ?? null),
  };
}
