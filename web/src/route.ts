/** Where the page is: everything that is seen stands in the address behind its `#`, so that it can be shared. */

import { useEffect, useState } from "preact/hooks";

export interface Route { page: string; name: string; query: Record<string, string> }

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Of `#/market/BTC-USD?job=x`. */
export function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  const query: Record<string, string> = {};
  for (const pair of search.split("&").filter(Boolean)) {
    const at = pair.indexOf("=");
    const [key, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    query[decoded(key)] = decoded(value.replace(/\+/g, " "));
  }
  return { page: decoded(page), name: decoded(rest.join("/")), query };
}

/** The address of a route; empty parameters are left out. */
export function href(page: string, name = "", query: Record<string, string | number | null | undefined> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`).join("&");
  const path = name ? `${page}/${encodeURIComponent(name)}` : page;
  return `#/${path}${search ? `?${search}` : ""}`;
}

/** Goes there; in the place of the present address where the way back should not lead through it. */
export function go(to: string, replace = false): void {
  if (location.hash === to) return;
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Changes parameters of the present address. */
export function setQuery(part: Record<string, string | number | null>): void {
  const { page, name, query } = parse(location.hash);
  go(href(page, name, { ...query, ...part }), true);
}

/** The present route, followed. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
