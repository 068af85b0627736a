/** Answers of the node in components: asked once, again when something changed, and kept while the node is away. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, ask } from "./client";
import { POLL_MS, useChanges, useLive, type Change } from "./live";

export interface Answer<T> {
  data: T | null;
  error: ApiError | null;
  isLoading: boolean;
  /** Asks again. */
  reload: () => void;
}

export interface Asking {
  body?: unknown;
  /** Which changes make the answer an old one; none if absent, other than that the node came back or was restarted. */
  on?: (change: Change) => boolean;
  /** Also asked again after so many milliseconds. */
  everyMs?: number;
}

/** Changes that come together are answered by one request. */
const TOGETHER_MS = 250;

/** What the node answers at this address; nothing is asked while it is null. */
export function useAnswer<T>(path: string | null, asking: Asking = {}): Answer<T> {
  const [answer, setAnswer] = useState<{ path: string | null; data: T | null; error: ApiError | null }>({ path: null, data: null, error: null });
  const [turn, setTurn] = useState(0);
  const { connection } = useLive();
  const { on, everyMs } = asking;
  const body = asking.body === undefined ? undefined : JSON.stringify(asking.body);
  const key = path === null ? null : `${path} ${body ?? ""}`;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const reload = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setTurn((turn) => turn + 1), TOGETHER_MS);
  }, []);

  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    ask<T>(path, { signal: stop.signal, ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }) }).then(
      (data) => setAnswer({ path: key, data, error: null }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError("page", String(error), null, -1);
        setAnswer((before) => ({ path: key, data: before.path === key ? before.data : null, error: told }));
        if (told.status === 429 || told.status === 503) timer.current = setTimeout(() => setTurn((turn) => turn + 1), POLL_MS);
      },
    );
    return () => stop.abort();
  }, [key, turn]);

  useEffect(() => () => clearTimeout(timer.current), []);
  useChanges(useCallback((change: Change) => {
    if (change.kind === "restart" || change.kind === "back" || on?.(change)) reload();
  }, [on, reload]));

  // Without a stream nobody tells of changes.
  const every = connection === "polling" && on ? POLL_MS : everyMs ?? null;
  useEffect(() => {
    if (every === null || path === null || connection === "away") return;
    const timer = setInterval(() => { if (!document.hidden) setTurn((turn) => turn + 1); }, every);
    return () => clearInterval(timer);
  }, [every, key, connection]);

  const isCurrent = answer.path === key;
  return { data: isCurrent ? answer.data : null, error: isCurrent ? answer.error : null, isLoading: path !== null && !isCurrent, reload };
}

/** Any period of this job, or of any where it is null. */
export const periodsOf = (job: string | null) => (change: Change): boolean =>
  change.kind === "period" && (job === null || change.job === null || change.job === job);
