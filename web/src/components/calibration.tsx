/** What was promised against what came, bin by bin, and the line of a perfect promise. */

import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import * as format from "../format";
import type { Palette } from "../theme";
import { Plot, axes, type PlotOptions } from "./plot";

export interface Bin { forecast: number; observed: number; count: number }

const options = (colours: Palette): PlotOptions => ({
  scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
  axes: axes(colours, (value) => format.number(value * 100), (value) => `${format.number(value * 100)} %`, ["forecast P(High), %", "share that was High"]),
  series: [
    {},
    { stroke: colours["line-strong"], width: 1, dash: [4, 4], points: { show: false }, spanGaps: true },
    { stroke: colours.accent, width: 2, points: { show: true, size: 8, fill: colours.accent }, spanGaps: true },
    { stroke: colours.high, width: 2, dash: [2, 3], points: { show: true, size: 8, fill: colours.high }, spanGaps: true },
  ],
});

/** The bins by their forecasts, each with whether it is of the second set. */
export function merged(bins: Bin[], beside: Bin[]): { bin: Bin; isBeside: boolean }[] {
  const all = [...bins.map((bin) => ({ bin, isBeside: false })), ...beside.map((bin) => ({ bin, isBeside: true }))];
  return all.sort((left, right) => left.bin.forecast - right.bin.forecast);
}

interface Props {
  bins: Bin[];
  /** Another set to see them against, dotted. */
  beside?: { bins: Bin[]; name: string; of: string };
}

const NO_BINS: Bin[] = [];

export function Calibration({ bins, beside }: Props) {
  const others = beside?.bins ?? NO_BINS;
  const sorted = useMemo(() => merged(bins, others), [bins, others]);
  const data = useMemo((): uPlot.AlignedData => {
    const inside = sorted.map(({ bin }) => bin.forecast);
    const line = (isBeside: boolean) => [null, ...sorted.map((one) => (one.isBeside === isBeside ? one.bin.observed : null)), null];
    return [[0, ...inside, 1], [0, ...inside, 1], line(false), line(true)];
  }, [sorted]);
  if (sorted.length === 0) return <p class="muted">Too few outcomes yet.</p>;
  const tell = (index: number) => {
    const found = sorted[index - 1];
    if (!found) return "";
    const { bin, isBeside } = found;
    const whose = beside ? `${isBeside ? beside.name : beside.of}: forecast` : "Forecast";
    return `${whose} ${format.share(bin.forecast)} on average: ${format.share(bin.observed)} of ${format.number(bin.count)} were High`;
  };
  const told = (of: Bin[]) => of.map((bin) => `${format.share(bin.forecast, 0)} forecast, ${format.share(bin.observed, 0)} came`).join("; ");
  const label = `Calibration over ${bins.length} bins: ${told(bins)}${others.length > 0 ? `; ${beside!.name}: ${told(others)}` : ""}`;
  return (
    <>
      <Plot label={label} height={220} data={data} options={options} tell={tell} />
      {beside ? <p class="small keys"><span class="one">● {beside.of}</span> {others.length > 0 ? <span class="other">● {beside.name}</span> : <span class="muted">{beside.name}: no outcomes yet</span>}</p> : null}
    </>
  );
}
