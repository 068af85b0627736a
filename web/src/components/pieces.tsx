/** Small pieces that all pages are made of. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../api/client";
import { useNow } from "../api/live";
import * as format from "../format";

/** A time in UTC; in the time of whoever looks on hover. */
export function Time({ ms, seconds = false, day = true }: { ms: number | null | undefined; seconds?: boolean; day?: boolean }) {
  if (ms === null || ms === undefined || Number.isNaN(new Date(ms).getTime())) return <span>{format.NONE}</span>;
  const text = day ? format.utc(ms, seconds) : `${format.utcClock(ms, seconds)} UTC`;
  return <time class="nowrap" dateTime={new Date(ms).toISOString()} title={`${format.local(ms)} here`}>{text}</time>;
}

/** How long ago, by the node's clock, with the time on hover. */
export function Ago({ ms }: { ms: number | null | undefined }) {
  const now = useNow();
  if (ms === null || ms === undefined) return <span>{format.NONE}</span>;
  return <time class="nowrap" dateTime={new Date(ms).toISOString()} title={`${format.utc(ms, true)}; ${format.local(ms)} here`}>{format.duration(now - ms)} ago</time>;
}

/** How long until then. */
export function Until({ ms, over }: { ms: number; over: string }) {
  const left = ms - useNow();
  return <time class="nowrap" dateTime={new Date(ms).toISOString()} title={`${format.utc(ms, true)}; ${format.local(ms)} here`}>{left > 0 ? format.duration(left) : over}</time>;
}

export type Level = "ok" | "warn" | "fail" | "accent" | "none";

/** A word on a colour that says the same. */
export function Badge({ level, children, title }: { level: Level | "regime-high" | "regime-low"; children: ComponentChildren; title?: string | undefined }) {
  return <span class={`badge ${level}`} title={title}>{children}</span>;
}

const STATUSES: Record<string, [Level, string, string]> = {
  fresh: ["ok", "●", "Young: the values are those of the last update."],
  grace: ["warn", "◐", "An update is late; the values are still those of the last one."],
  stale: ["fail", "○", "Too old: readers get the policy's cautious values."],
  withheld: ["fail", "✕", "Paused by the guardian, or the chain's sequencer is down: readers get cautious values."],
  unset: ["none", "–", "No update has landed yet."],
};

/** How far a market's parameters can be relied on. */
export function Status({ name }: { name: string }) {
  const [level, mark, meaning] = STATUSES[name] ?? (["none", "?", ""] as const);
  return <Badge level={level} title={meaning}><span aria-hidden="true">{mark}</span>{format.words(name)}</Badge>;
}

/** Low or High, with its probability where it is given. */
export function Regime({ name, probability }: { name: string | null; probability?: number | null }) {
  if (!name) return <span class="muted">{format.NONE}</span>;
  const isHigh = name === "High";
  return (
    <Badge level={isHigh ? "regime-high" : "regime-low"}>
      <span aria-hidden="true">{isHigh ? "▲" : "▽"}</span>{name}{probability === undefined ? "" : ` ${format.share(probability)}`}
    </Badge>
  );
}

/** How far a cycle got. */
export function Stage({ name, code }: { name: string; code?: string | null | undefined }) {
  const level: Level = name === "confirmed" || name === "already_by_other" ? "ok" : name === "missed" ? "fail" : "accent";
  const mark = level === "ok" ? "✓" : level === "fail" ? "✕" : "…";
  return <Badge level={level}><span aria-hidden="true">{mark}</span>{format.stage(name)}{code ? ` ${code}` : ""}</Badge>;
}

/** Figures with their names above. */
export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

export function Figure({ name, title, sub, plain = false, children }: {
  name: string; title?: string; sub?: ComponentChildren; plain?: boolean; children: ComponentChildren;
}) {
  return (
    <div class="figure">
      <dt title={title}>{name}</dt>
      <dd class={plain ? "plain" : undefined}>{children}{sub ? <span class="sub">{sub}</span> : null}</dd>
    </div>
  );
}

/** What is wrong, with its code and what to do. */
export function Fault({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div class="box" role="alert">
      <p><b>{error.message}</b> <code class="muted">{error.code}</code></p>
      {error.hint ? <p class="muted">{error.hint}</p> : null}
      {retry ? <p><button type="button" onClick={retry}>Ask again</button></p> : null}
    </div>
  );
}

export function Note({ children, level = "note" }: { children: ComponentChildren; level?: "note" | "warn" }) {
  return <div class={`box ${level}`}>{children}</div>;
}

export const Loading = ({ what = "Loading" }: { what?: string }) => <p class="loading" role="status">{what}…</p>;

/** A hash or an address: short to see, whole on hover and to copy. */
export function Hash({ value, digits = 6 }: { value: string | null | undefined; digits?: number }) {
  if (!value) return <span>{format.NONE}</span>;
  return <span class="nowrap"><code title={value}>{format.short(value, digits)}</code> <Copy text={value} what="it" /></span>;
}

/** Puts a text into the clipboard. */
export function Copy({ text, what, label }: { text: string; what: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = () => void write(text).then(setDone);
  return <button type="button" class={label ? "" : "quiet"} title={`Copy ${what}`} onClick={copy}>{isDone ? "✓ copied" : label ?? "copy"}</button>;
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS there is no clipboard but the old one.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    return isDone;
  }
}
