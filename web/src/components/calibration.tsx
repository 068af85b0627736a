/** What was promised against what came, bin by bin, and the line of a perfect promise. */

import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import * as format from "../format";
import type { Palette } from "../theme";
import { Plot, axes, type PlotOptions } from "./plot";

interface Bin { forecast: number; observed: number; count: number }

const options = (colours: Palette): PlotOptions => ({
  scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
  axes: axes(colours, (value) => format.number(value * 100), (value) => `${format.number(value * 100)} %`, ["forecast P(High), %", "share that was High"]),
  series: [
    {},
    { stroke: colours["line-strong"], width: 1, dash: [4, 4], points: { show: false }, spanGaps: true },
    { stroke: colours.accent, width: 2, points: { show: true, size: 8, fill: colours.accent }, spanGaps: true },
  ],
});

export function Calibration({ bins }: { bins: Bin[] }) {
  const sorted = useMemo(() => [...bins].sort((left, right) => left.forecast - right.forecast), [bins]);
  const data = useMemo((): uPlot.AlignedData => {
    const inside = sorted.map((bin) => bin.forecast);
    return [[0, ...inside, 1], [0, ...inside, 1], [null, ...sorted.map((bin) => bin.observed), null]];
  }, [sorted]);
  if (bins.length === 0) return <p class="muted">Too few outcomes yet.</p>;
  const tell = (index: number) => {
    const bin = sorted[index - 1];
    return bin ? `Forecast ${format.share(bin.forecast)} on average: ${format.share(bin.observed)} of ${bin.count} were High` : "";
  };
  return <Plot label={`Calibration over ${bins.length} bins: ${sorted.map((bin) => `${format.share(bin.forecast, 0)} forecast, ${format.share(bin.observed, 0)} came`).join("; ")}`} height={220} data={data} options={options} tell={tell} />;
}
