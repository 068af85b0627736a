/** Requests to the node that serves this page, relative to it, so that any path prefix works. */

import type { ErrorBody } from "./types";

/** Longest wait for an answer, milliseconds. */
const TIMEOUT_MS = 15_000;

/** What came instead of an answer, with the node's code and hint where it gave them. */
export class ApiError extends Error {
  constructor(readonly code: string, message: string, readonly hint: string | null, readonly status: number) {
    super(message);
  }
  /** Whether the node itself was not there to answer. */
  get isAway(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}

type Heard = (isAnswer: boolean) => void;
let heard: Heard = () => {};
/** Who is to know that the node answered, or did not. */
export const onHeard = (listener: Heard): void => { heard = listener; };

/** Query parameters; those that are null or undefined are left out. */
export type Query = Record<string, string | number | null | undefined>;

export function address(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&");
  return `./${path}${text ? `?${text}` : ""}`;
}

/** The answer to a GET, or to a POST where there is a body. */
export async function ask<T>(path: string, options: { body?: unknown; signal?: AbortSignal; timeoutMs?: number } = {}): Promise<T> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const init: RequestInit = options.body === undefined
    ? { signal }
    : { signal, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(options.body) };
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    heard(false);
    throw new ApiError("offline", "The node does not answer.", "It is asked again by itself; look whether the daemon runs.", 0);
  }
  const isAway = response.status === 502 || response.status === 504;
  heard(!isAway);
  if (response.ok) {
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError("answer", "The answer is not JSON.", null, response.status);
    }
  }
  throw await failure(response);
}

async function failure(response: Response): Promise<ApiError> {
  let body: Partial<ErrorBody> = {};
  try {
    body = (await response.json()) as Partial<ErrorBody>;
  } catch {
    // A proxy's page, perhaps: its status is all that is told.
  }
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return new ApiError(
    text(body.code) ?? `HTTP ${response.status}`, text(body.message) ?? `The node answered with status ${response.status}.`,
    text(body.hint), response.status,
  );
}
