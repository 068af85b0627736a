/** The frame: where one can go, whether the node is there, its clock, light and dark, keys. */

import type { ComponentType } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { address } from "./api/client";
import { learnClock, useLive, useNow } from "./api/live";
import type { Overview } from "./api/types";
import { useAnswer } from "./api/use";
import { Fault, Loading } from "./components/pieces";
import * as format from "./format";
import { go, href, useRoute } from "./route";
import { choose, chosen, type Theme } from "./theme";
import { OverviewPage } from "./pages/overview";

/** What every page is given. */
export interface PageProps { overview: Overview; name: string; query: Record<string, string> }
type Page = ComponentType<PageProps>;

/** Pages with charts come when they are asked for. */
const PAGES: Record<string, () => Promise<{ default: Page }>> = {
  market: () => import("./pages/market"),
  update: () => import("./pages/update"),
  updates: () => import("./pages/updates"),
  model: () => import("./pages/model"),
  lab: () => import("./pages/lab"),
  operations: () => import("./pages/operations"),
  job: () => import("./pages/job"),
  yields: () => import("./pages/yields"),
};

/** Clocks that differ by more than this are told. */
const SKEW_MS = 5_000;

const onEverything = (change: { kind: string }) => change.kind === "period" || change.kind === "checks" || change.kind === "alerts";

export function App() {
  const route = useRoute();
  const overview = useAnswer<Overview>(address("v1/overview"), { on: onEverything, everyMs: 30_000 });
  const { data } = overview;
  useEffect(() => { if (data) learnClock(data.now_ms, data.started_ms, data.version, true); }, [data]);
  const [isHelp, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const links = useMemo(() => navigation(data), [data]);
  useKeys(links, useCallback(() => setHelp((isOpen) => !isOpen), []));
  useEffect(() => {
    scrollTo(0, 0);
    const place = links.find((link) => link.page === (route.page || "overview"))?.title ?? format.words(route.page);
    document.title = `${route.name || place} · VeriRegime`;
  }, [route.page, route.name]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>To the content</a>
      <header class="top">
        <div class="top-row">
          <a class="brand" href={href("")}><img src="./icon.svg" alt="" />VeriRegime</a>
          <nav class="nav" aria-label="Pages">
            {links.map((link) => (
              <a key={link.page} href={link.to} aria-current={link.pages.includes(route.page) ? "page" : undefined}>{link.title}</a>
            ))}
          </nav>
          <div class="tools">
            <Connected />
            <ThemeSwitch />
            <button type="button" class="quiet" onClick={() => setHelp(true)} aria-label="Help and shortcuts" title="Help and shortcuts (?)">?</button>
          </div>
        </div>
        <Banner />
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {data ? <Shown page={route.page} props={{ overview: data, name: route.name, query: route.query }} />
          : overview.error ? <Fault error={overview.error} retry={overview.reload} /> : <Loading what="Asking the node" />}
        {data && overview.error && !overview.error.isAway ? <Fault error={overview.error} retry={overview.reload} /> : null}
      </main>
      <footer>
        <span>VeriRegime agent {data?.version ?? ""}</span>
        <span>A proof covers the computation, not the data: attestors sign for that.</span>
        <span>Charts by <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">TradingView</a> Lightweight Charts™, © TradingView, Inc., and uPlot</span>
        <a href="./licences.txt">Licences</a>
        <a href="./openapi.json">API</a>
      </footer>
      <Help isOpen={isHelp} close={() => setHelp(false)} />
    </>
  );
}

interface Link { page: string; pages: string[]; title: string; to: string; key: string }

function navigation(overview: Overview | null): Link[] {
  const regime = overview?.jobs.find((job) => job.kind === "regime" || job.markets.length > 0);
  const market = regime?.markets[0]?.name;
  const links: Link[] = [{ page: "overview", pages: [""], title: "Overview", to: href(""), key: "o" }];
  if (regime && market) links.push({ page: "market", pages: ["market"], title: "Market", to: href("market", market, { job: regime.name }), key: "m" });
  links.push({ page: "updates", pages: ["update", "updates", "job"], title: "Updates", to: href("updates"), key: "u" });
  if (overview?.jobs.some((job) => job.kind === "yield")) links.push({ page: "yields", pages: ["yields"], title: "Yields", to: href("yields"), key: "y" });
  links.push({ page: "model", pages: ["model"], title: "Model", to: href("model"), key: "d" });
  if (regime) links.push({ page: "lab", pages: ["lab"], title: "Policy lab", to: href("lab"), key: "l" });
  links.push({ page: "operations", pages: ["operations"], title: "Operations", to: href("operations"), key: "p" });
  return links;
}

function Shown({ page, props }: { page: string; props: PageProps }) {
  const [loaded, setLoaded] = useState<{ page: string; Component: Page } | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    const load = PAGES[page];
    if (!load) return;
    let isWanted = true;
    load().then(
      ({ default: Component }) => { if (isWanted) { setFailed(null); setLoaded({ page, Component }); } },
      () => { if (isWanted) setFailed(page); },
    );
    return () => { isWanted = false; };
  }, [page]);
  if (page === "") return <OverviewPage {...props} />;
  if (!PAGES[page]) return <div class="box note"><p><b>There is no page of this name.</b></p><p><a href={href("")}>To the overview</a></p></div>;
  if (failed === page) return <div class="box"><p><b>This page could not be loaded.</b> A node that was replaced by another version has other files.</p><p><button type="button" onClick={() => location.reload()}>Load again</button></p></div>;
  if (loaded?.page !== page) return <Loading />;
  return <loaded.Component key={page} {...props} />;
}

function Connected() {
  const { connection } = useLive();
  const now = useNow();
  const [level, word, title] = {
    connecting: ["", "Connecting", "The node was not heard yet"], live: ["ok", "Live", "The node tells of every change at once"],
    polling: ["warn", "Polling", "No stream of events comes through; the node is asked every few seconds"], away: ["fail", "No answer", "The node does not answer"],
  }[connection] as [string, string, string];
  return (
    <span class="state" title={title}>
      <span class={`dot ${level}`} aria-hidden="true" />
      <span data-test="connection">{word}</span>
      <time title={`${format.utc(now)}, the node's clock; ${format.local(now)} here`}>{format.utcClock(now, true)} UTC</time>
    </span>
  );
}

function Banner() {
  const { connection, awaySince, offsetMs } = useLive();
  const now = useNow();
  if (connection === "away" && awaySince !== null) {
    const since = awaySince + offsetMs;
    return (
      <div class="banner" role="alert" data-test="away">
        <div><b>The node does not answer</b> since {format.utcClock(since, true)} UTC ({format.duration(now - since)}). What is seen below is as it was then. It is asked again every second.</div>
      </div>
    );
  }
  if (Math.abs(offsetMs) < SKEW_MS) return null;
  const side = offsetMs < 0 ? "behind" : "ahead of";
  return (
    <div class="banner note" data-test="skew">
      <div>The node's clock reads {format.utc(now)}, {format.duration(Math.abs(offsetMs))} {side} this computer's: the node replays another time, or one of the two is wrong. Everything here goes by the node's.</div>
    </div>
  );
}

const THEMES: [Theme, string, string][] = [["auto", "◐", "as the system"], ["light", "☀", "light"], ["dark", "☾", "dark"]];

function ThemeSwitch() {
  const [theme, setTheme] = useState(chosen);
  const at = THEMES.findIndex(([name]) => name === theme);
  const [, mark, word] = THEMES[at]!;
  const [next, , nextWord] = THEMES[(at + 1) % THEMES.length]!;
  return (
    <button type="button" class="quiet" data-test="theme" aria-label={`Colours: ${word}. Change to ${nextWord}`} title={`Colours: ${word}`}
      onClick={() => { choose(next); setTheme(next); }}>{mark}</button>
  );
}

/** Longest pause between the two keys of a way to a page. */
const SECOND_KEY_MS = 1_500;

function useKeys(links: Link[], help: () => void): void {
  const known = useRef(links);
  known.current = links;
  // Outlives a drawing between the two keys.
  const goingUntil = useRef(0);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, select, textarea, dialog")) return;
      const isGoing = event.timeStamp < goingUntil.current;
      goingUntil.current = 0;
      if (isGoing) {
        const link = known.current.find((link) => link.key === event.key);
        if (link) go(link.to);
        return;
      }
      if (event.key === "?") help();
      if (event.key === "t") document.querySelector<HTMLButtonElement>("[data-test=theme]")?.click();
      if (event.key === "g") goingUntil.current = event.timeStamp + SECOND_KEY_MS;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [help]);
}

const KEYS: [string[], string][] = [
  [["?"], "This help"], [["g", "o"], "Overview"], [["g", "m"], "Market"], [["g", "u"], "Updates"], [["g", "d"], "Model"], [["g", "l"], "Policy lab"],
  [["g", "p"], "Operations"], [["t"], "Light, dark, or as the system"], [["←", "→"], "Earlier and later: in a chart, and between updates"], [["+", "−"], "Zoom in and out of a chart that has the focus"], [["v"], "Verify, on the page of an update"],
];

function Help({ isOpen, close }: { isOpen: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title">
      {isOpen ? (
        <div class="rows">
          <h2 id="help-title">What this is</h2>
          <p>Every period this node forecasts how much a market will move, convinces a contract that exactly the registered model said so, and the contract moves collateral ratio and swap fee by its owner's policy. Volatility is the standard deviation of one-minute returns; 1 bps is 0.01 %. Times are UTC; yours shows on hover.</p>
          <h2>Keys</h2>
          <dl class="facts">{KEYS.map(([keys, meaning]) => <><dt>{keys.map((key, at) => <>{at > 0 ? " " : ""}<kbd>{key}</kbd></>)}</dt><dd>{meaning}</dd></>)}</dl>
          <p class="right"><button type="button" onClick={close}>Close</button></p>
        </div>
      ) : null}
    </dialog>
  );
}
