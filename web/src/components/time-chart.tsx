/** Panes of time series over one axis, by lightweight-charts. */

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, LineType, createChart,
  type IChartApi, type ISeriesApi, type SeriesType, type Time, type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as format from "../format";
import { usePalette, type Colour } from "../theme";

/** A value from this time on, Unix seconds. */
export interface Point { time: number; value: number | null; colour?: Colour }
export interface Bar { time: number; open: number; high: number; low: number; close: number }

export interface Line {
  name: string;
  kind: "line" | "step" | "dots" | "bands" | "candles";
  colour: Colour;
  points?: Point[];
  bars?: Bar[];
  isDashed?: boolean;
  /** How its values read. */
  show: (value: number) => string;
  /** How the axis writes them, shorter; as `show` if absent. */
  axis?: (value: number) => string;
  /** What bands say, by the point's colour. */
  words?: Partial<Record<Colour, string>>;
}

export interface Pane { name: string; height: number; lines: Line[]; levels?: { value: number; name: string }[] }

interface Props {
  label: string;
  panes: Pane[];
  /** What is seen at first and whenever `rangeKey` changes, Unix seconds. */
  range: [number, number] | null;
  rangeKey: string;
  onPick?: (seconds: number) => void;
  onRange?: (from: number, to: number) => void;
}

/** The last entry that is not after this time; -1 for none. */
export function lastAt(entries: readonly { time: number }[], time: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.time <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const stamp = (seconds: number) => seconds as UTCTimestamp;

export function TimeChart({ label, panes, range, rangeKey, onPick, onRange }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  const series = useRef<ISeriesApi<SeriesType>[]>([]);
  const shownKey = useRef("");
  const colours = usePalette();
  const [at, setAt] = useState<number | null>(null);
  const [tops, setTops] = useState<number[]>([]);
  const picked = useRef(onPick);
  picked.current = onPick;
  const ranged = useRef(onRange);
  ranged.current = onRange;
  const height = panes.reduce((sum, pane) => sum + pane.height, 0) + 28;

  useEffect(() => {
    const made = createChart(holder.current!, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(document.documentElement).fontFamily },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 2, minBarSpacing: 0.05 },
      crosshair: { mode: CrosshairMode.Magnet },
      localization: { timeFormatter: (time: Time) => format.utc(Number(time) * 1000) },
      handleScale: { axisPressedMouseMove: { time: true, price: false } },
    });
    chart.current = made;
    made.subscribeCrosshairMove((event) => setAt(typeof event.time === "number" ? event.time : null));
    made.subscribeClick((event) => { if (typeof event.time === "number") picked.current?.(event.time); });
    let wait: ReturnType<typeof setTimeout> | undefined;
    made.timeScale().subscribeVisibleTimeRangeChange((range) => {
      clearTimeout(wait);
      if (range) wait = setTimeout(() => ranged.current?.(Number(range.from), Number(range.to)), 400);
    });
    return () => {
      clearTimeout(wait);
      made.remove();
      chart.current = null;
      series.current = [];
      shownKey.current = "";
    };
  }, []);

  useEffect(() => {
    const made = chart.current;
    if (!made) return;
    made.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colours.card }, textColor: colours.muted,
        panes: { separatorColor: colours.line, separatorHoverColor: colours.raised, enableResize: true },
      },
      grid: { vertLines: { color: colours.line, style: LineStyle.SparseDotted }, horzLines: { color: colours.line, style: LineStyle.SparseDotted } },
      crosshair: {
        vertLine: { color: colours.muted, labelBackgroundColor: colours["line-strong"] },
        horzLine: { color: colours.muted, labelBackgroundColor: colours["line-strong"] },
      },
      timeScale: { borderColor: colours.line },
      rightPriceScale: { borderColor: colours.line },
    });
    const before = shownKey.current === rangeKey ? made.timeScale().getVisibleRange() : null;
    for (const old of series.current) made.removeSeries(old);
    series.current = panes.flatMap((pane, index) => pane.lines.map((line, at) => draw(made, line, index, colours, at === pane.lines.length - 1 ? pane.levels ?? [] : [])));
    made.panes().forEach((pane, index) => pane.setStretchFactor(panes[index]?.height ?? 1));
    const wanted = before ?? (range ? { from: stamp(range[0]), to: stamp(range[1]) } : null);
    const hasData = panes.some((pane) => pane.lines.some((line) => (line.points?.length ?? 0) + (line.bars?.length ?? 0) > 0));
    if (hasData) {
      shownKey.current = rangeKey;
      if (wanted) made.timeScale().setVisibleRange(wanted);
      else made.timeScale().fitContent();
    }
    const place = () => {
      let top = 0;
      setTops(made.panes().map((pane) => { const here = top; top += pane.getHeight() + 1; return here; }));
    };
    const frame = requestAnimationFrame(place);
    const observer = new ResizeObserver(() => requestAnimationFrame(place));
    observer.observe(holder.current!);
    return () => { cancelAnimationFrame(frame); observer.disconnect(); };
  }, [panes, colours, rangeKey]);

  const press = (event: KeyboardEvent) => {
    const scale = chart.current?.timeScale();
    const seen = scale?.getVisibleLogicalRange();
    if (!scale || !seen) return;
    const width = seen.to - seen.from;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-width / 5, -width / 5], ArrowRight: [width / 5, width / 5], "+": [width / 6, -width / 6], "-": [-width / 4, width / 4],
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    scale.setVisibleLogicalRange({ from: seen.from + move[0], to: seen.to + move[1] });
  };

  const last = useMemo(() => Math.max(...panes.flatMap((pane) => pane.lines.map((line) => (line.points ?? line.bars ?? []).at(-1)?.time ?? 0)), 0), [panes]);
  const time = at ?? last;
  return (
    <div>
      <p class="chart-time" aria-live="off">
        {time > 0 ? <>{at === null ? "Newest: " : ""}<time title={`${format.local(time * 1000)} here`}>{format.utc(time * 1000)}</time>{at === null ? "" : ` · ${format.local(time * 1000)} here`}</> : " "}
      </p>
      <div class="chart">
        {panes.map((pane, index) => (
          <div class="legend" key={pane.name} style={{ top: `${(tops[index] ?? 0) + 4}px` }}>
            <b>{pane.name}</b>
            {pane.lines.map((line) => <Key key={line.name} line={line} time={time} colour={colours[line.colour]} />)}
          </div>
        ))}
        <div ref={holder} class="chart-canvas" style={{ height: `${height}px` }} role="img" tabIndex={0} onKeyDown={press}
          aria-label={`${label}. Arrow keys move, plus and minus zoom; the same figures are in CSV and JSON.`} />
      </div>
    </div>
  );
}

function Key({ line, time, colour }: { line: Line; time: number; colour: string }) {
  const entries = line.points ?? line.bars ?? [];
  const entry = entries[lastAt(entries, time)];
  let value = format.NONE;
  let swatch = colour;
  if (entry && "close" in entry) return <span class="key"><i style={{ background: swatch }} /><span class="wide">open {line.show(entry.open)} high {line.show(entry.high)} low {line.show(entry.low)} </span>close {line.show(entry.close)}</span>;
  else if (entry && line.kind === "bands") value = (entry.colour && line.words?.[entry.colour]) ?? format.NONE;
  else if (entry && entry.value !== null) value = line.show(entry.value);
  if (line.kind === "bands") swatch = colour;
  return <span class="key"><i class={line.kind === "bands" ? "block" : undefined} style={{ background: swatch }} />{line.name} {value}</span>;
}

function draw(chart: IChartApi, line: Line, pane: number, colours: Record<Colour, string>, levels: { value: number; name: string }[]): ISeriesApi<SeriesType> {
  const colour = colours[line.colour];
  const priceFormat = { type: "custom" as const, formatter: line.axis ?? line.show, minMove: 0.000001 };
  const common = { priceLineVisible: false, lastValueVisible: line.kind !== "bands" && line.kind !== "dots" };
  const values = (line.points ?? []).map((point) => point.value === null ? { time: stamp(point.time) } : { time: stamp(point.time), value: point.value });
  let made: ISeriesApi<SeriesType>;
  if (line.kind === "candles") {
    made = chart.addSeries(CandlestickSeries, {
      ...common, priceFormat, upColor: colours.up, downColor: colours.down, wickUpColor: colours.up, wickDownColor: colours.down, borderVisible: false,
    }, pane);
    made.setData((line.bars ?? []).map((bar) => ({ ...bar, time: stamp(bar.time) })));
  } else if (line.kind === "bands") {
    const scale = `bands-${pane}`;
    made = chart.addSeries(HistogramSeries, { ...common, priceScaleId: scale, base: 0, priceFormat }, pane);
    made.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 }, visible: false });
    made.setData((line.points ?? []).map((point) => point.value === null
      ? { time: stamp(point.time) } : { time: stamp(point.time), value: 1, color: colours[point.colour ?? line.colour] }));
  } else {
    const isDots = line.kind === "dots";
    made = chart.addSeries(LineSeries, {
      ...common, priceFormat, color: colour, lineWidth: line.isDashed || isDots ? 1 : 2, lineStyle: line.isDashed ? LineStyle.Dashed : LineStyle.Solid,
      lineType: line.kind === "step" ? LineType.WithSteps : LineType.Simple, crosshairMarkerVisible: true,
      lineVisible: !isDots, pointMarkersVisible: isDots, pointMarkersRadius: 2.5,
    }, pane);
    made.setData(values);
  }
  for (const level of levels) {
    made.createPriceLine({ price: level.value, color: colours["line-strong"], lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: false, title: level.name });
  }
  return made;
}
