/** Everything that is no time series over panes: bars, scatters, calibration and sparklines, by uPlot. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { usePalette, type Palette } from "../theme";

export type PlotOptions = Omit<uPlot.Options, "width" | "height">;

interface Props {
  label: string;
  height: number;
  data: uPlot.AlignedData;
  options: (colours: Palette) => PlotOptions;
  /** What is said of the entry under the pointer. */
  tell?: (index: number) => string;
}

export function Plot({ label, height, data, options, tell }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const colours = usePalette();
  const [told, setTold] = useState("");
  const teller = useRef(tell);
  teller.current = tell;
  useEffect(() => {
    const element = holder.current!;
    const asked = options(colours);
    const made = new uPlot({
      ...asked, width: Math.max(60, element.clientWidth), height, legend: { show: false },
      hooks: { ...asked.hooks, setCursor: [...(asked.hooks?.setCursor ?? []), (plot) => {
        const index = plot.cursor.idx;
        setTold(index === null || index === undefined ? "" : teller.current?.(index) ?? "");
      }] },
    }, data, element);
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(60, element.clientWidth), height }));
    observer.observe(element);
    return () => { observer.disconnect(); made.destroy(); };
  }, [data, colours, height, options]);
  return (
    <div class="plot">
      <div ref={holder} role="img" aria-label={label} style={{ minHeight: `${height}px` }} />
      {tell ? <p class="plot-readout">{told || " "}</p> : null}
    </div>
  );
}

/** Axes in the colours and letters of the page. */
export function axes(colours: Palette, x: (value: number) => string, y: (value: number) => string, names: [string, string]): uPlot.Axis[] {
  const font = `11px ${getComputedStyle(document.documentElement).fontFamily}`;
  const one = (label: string, show: (value: number) => string): uPlot.Axis => ({
    label, labelFont: font, labelSize: 20, font, stroke: colours.muted, grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line, width: 1 },
    values: (_, splits) => splits.map((value) => (value === null ? "" : show(value))),
  });
  return [{ ...one(names[0], x), size: 34 }, { ...one(names[1], y), size: 58 }];
}

const sparkOptions = (colours: Palette): PlotOptions => ({
  cursor: { show: false }, axes: [{ show: false }, { show: false }], padding: [3, 2, 3, 2], scales: { x: { time: false } },
  series: [{}, { stroke: colours.accent, width: 1.5, points: { show: false } }, { stroke: colours["line-strong"], width: 1, dash: [3, 3], points: { show: false } }],
});

/** A line without axes, and a level that it is seen against. */
export function Sparkline({ label, values, level }: { label: string; values: number[]; level?: number }) {
  const [data, setData] = useState<uPlot.AlignedData>([[], [], []]);
  const key = `${level} ${values.join(" ")}`;
  useEffect(() => setData([values.map((_, index) => index), values, values.map(() => level ?? null)]), [key]);
  return <div class="spark"><Plot label={label} height={44} data={data} options={sparkOptions} /></div>;
}
