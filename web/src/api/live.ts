/**
 * Whether the node is there, what it says has changed, and its clock. One stream of events while the page is seen; where none
 * comes through, the page asks again by itself. A node that says nothing for five and a half seconds is asked; that it is
 * gone is shown within ten.
 */

import { useEffect, useReducer } from "preact/hooks";
import { onHeard } from "./client";

/** Silence after which the node is asked, milliseconds. */
const SILENCE_MS = 5_500;
/** Longest wait for the answer to that. */
const PROBE_MS = 1_400;
/** How often a page without a stream asks. */
export const POLL_MS = 5_000;
/** How often a lost stream is opened again. */
const REOPEN_MS = 3_000;

export type Connection = "connecting" | "live" | "polling" | "away";

export interface Change { kind: "period" | "checks" | "alerts" | "restart" | "back"; job: string | null; period: number | null; stage: string | null }

interface State {
  connection: Connection;
  /** Since when the node is away, by the browser's clock. */
  awaySince: number | null;
  /** What is added to the browser's clock to get the node's. */
  offsetMs: number;
  version: string | null;
  startedMs: number | null;
}

const state: State = { connection: "connecting", awaySince: null, offsetMs: 0, version: null, startedMs: null };
const watchers = new Set<() => void>();
const listeners = new Set<(change: Change) => void>();
let stream: EventSource | null = null;
let isStreaming = false;
let lastHeard = performance.now();
let isProbing = false;
let reopenAt = 0;
let hasOverview = false;

function set(part: Partial<State>): void {
  const isNew = Object.entries(part).some(([key, value]) => state[key as keyof State] !== value);
  if (!isNew) return;
  Object.assign(state, part);
  watchers.forEach((watcher) => watcher());
}

const tell = (change: Change): void => listeners.forEach((listener) => listener(change));

function present(): void {
  lastHeard = performance.now();
  const wasAway = state.connection === "away";
  set({ connection: isStreaming ? "live" : "polling", awaySince: null });
  if (wasAway) tell({ kind: "back", job: null, period: null, stage: null });
}

function away(): void {
  isStreaming = false;
  set({ connection: "away", awaySince: state.awaySince ?? Date.now() });
}

/**
 * The node's time. What the overview says of it goes before what events say: theirs is the machine's clock, and a node that replays
 * the past goes by another.
 */
export function learnClock(nowMs: number | null, startedMs: number | null, version: string | null, isOverview = false): void {
  if (isOverview) hasOverview = true;
  const offsetMs = nowMs !== null && (isOverview || !hasOverview) ? nowMs - Date.now() : state.offsetMs;
  // The way of the answer takes some milliseconds: what is no more than that is no news.
  if (Math.abs(offsetMs - state.offsetMs) > 750) set({ offsetMs });
  const isRestart = startedMs !== null && state.startedMs !== null && startedMs !== state.startedMs;
  set({ startedMs: startedMs ?? state.startedMs, version: version ?? state.version });
  if (isRestart) tell({ kind: "restart", job: null, period: null, stage: null });
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const figure = (value: unknown): number | null => (typeof value === "number" ? value : null);

function data(event: Event): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse((event as MessageEvent<string>).data);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function open(): void {
  stream?.close();
  const source = new EventSource("./v1/events");
  stream = source;
  const on = (name: string, then: (body: Record<string, unknown>) => void) =>
    source.addEventListener(name, (event) => {
      isStreaming = true;
      present();
      then(data(event));
    });
  on("hello", (body) => learnClock(figure(body["now_ms"]), figure(body["started_ms"]), text(body["version"])));
  on("tick", (body) => learnClock(figure(body["now_ms"]), null, null));
  for (const kind of ["period", "checks", "alerts"] as const) {
    on(kind, (body) => tell({ kind, job: text(body["job"]), period: figure(body["period"]), stage: text(body["stage"]) }));
  }
  source.onerror = () => {
    isStreaming = false;
    source.close();
    if (stream === source) stream = null;
    reopenAt = performance.now() + REOPEN_MS;
    void probe();
  };
}

/** Asks whether the node is there; twice, since one lost request says little. */
async function probe(): Promise<void> {
  if (isProbing) return;
  isProbing = true;
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      const response = await fetch("./livez", { cache: "no-store", signal: AbortSignal.timeout(PROBE_MS) });
      if (response.ok) {
        isProbing = false;
        present();
        return;
      }
    } catch {
      // Told below.
    }
  }
  isProbing = false;
  away();
}

function beat(): void {
  if (document.hidden) return;
  const now = performance.now();
  if (now - lastHeard > SILENCE_MS || state.connection === "away") void probe();
  if (!stream && now >= reopenAt && state.connection !== "away") open();
}

/** Starts to listen; once for a page. */
export function start(): void {
  onHeard((isAnswer) => { if (isAnswer) present(); else void probe(); });
  // A page that nobody sees holds no connection: browsers have few for a host.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
      isStreaming = false;
    } else {
      lastHeard = performance.now();
      open();
      tell({ kind: "back", job: null, period: null, stage: null });
    }
  });
  open();
  setInterval(beat, 1_000);
}

/** The connection, followed. */
export function useLive(): Readonly<State> {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    const watcher = () => redraw();
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return state;
}

/** The node's time now, milliseconds. */
export const nodeNow = (): number => Date.now() + state.offsetMs;

/** The node's time, again every second. */
export function useNow(): number {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => redraw(), 1_000);
    return () => clearInterval(timer);
  }, []);
  return nodeNow();
}

/** Does something whenever the node says that something changed. */
export function useChanges(listener: (change: Change) => void): void {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}

