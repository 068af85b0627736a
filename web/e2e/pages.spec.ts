/** Each page, at two widths and in both themes, on the made-up node or, by BASE_URL, on a real one. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, baseUrl, clean, launch, open, path, shoot } from "./browser";
// @ts-expect-error plain JavaScript
import { FixtureServer } from "./fixture/server.mjs";

const WIDTHS = [1440, 390];
const THEMES = ["light", "dark"] as const;

describe.skipIf(path === null)("every page", () => {
  let browser: Browser;
  let server: { url: string; kill: () => Promise<void> } | null = null;
  let origin = baseUrl ?? "";
  const pages: [string, string, string][] = [];

  beforeAll(async () => {
    browser = await launch();
    if (baseUrl === null) {
      const made = await new FixtureServer().start();
      server = made;
      origin = made.url;
    }
    const overview = (await (await fetch(`${origin}v1/overview`)).json()) as { jobs: { name: string; kind: string | null; markets: { name: string }[]; last_cycle: { period: number } | null }[] };
    const [first] = overview.jobs;
    expect(first).toBeDefined();
    pages.push(["overview", "#/", "main .card"]);
    const regime = overview.jobs.find((job) => job.markets.length > 0);
    if (regime) pages.push(["market", `#/market/${encodeURIComponent(regime.markets[0]!.name)}?job=${encodeURIComponent(regime.name)}`, "main .chart canvas"], ["lab", `#/lab?job=${encodeURIComponent(regime.name)}`, "main table"]);
    if (first!.last_cycle) pages.push(["update", `#/update/${first!.last_cycle.period}?job=${encodeURIComponent(first!.name)}`, "main h1 time"]);
    pages.push(["updates", "#/updates", "main table"], ["model", "#/model", "main .card"], ["operations", "#/operations", "main table"], ["job", `#/job/${encodeURIComponent(overview.jobs.at(-1)!.name)}`, "main table"]);
    if (overview.jobs.some((job) => job.kind === "yield")) pages.push(["yields", "#/yields", "main table"]);
  });
  afterAll(async () => { await browser?.close(); await server?.kill(); });

  for (const width of WIDTHS) for (const theme of THEMES) {
    it(`opens without an error, a request elsewhere or a serious finding: ${width} wide, ${theme}`, async () => {
      const found: string[] = [];
      for (const [name, hash, ready] of pages) {
        const eyes = await open(browser, origin, { width, theme });
        await eyes.page.goto(`${origin}${hash}`);
        await eyes.page.waitForSelector(ready);
        await eyes.page.waitForFunction(() => document.querySelector("main .loading") === null);
        await eyes.page.waitForTimeout(400);
        const seen = await eyes.page.evaluate(() => document.documentElement.scrollWidth);
        if (seen > width) found.push(`${name}: ${seen} px wide`);
        found.push(...(await axe(eyes.page)).map((finding) => `${name}: ${finding}`));
        await shoot(eyes.page, `${name}-${width}-${theme}`);
        clean(eyes);
        await eyes.close();
      }
      expect(found).toEqual([]);
    }, 180_000);
  }

  it("verifies an update by one click", async () => {
    const update = pages.find(([name]) => name === "update");
    expect(update).toBeDefined();
    const eyes = await open(browser, origin);
    await eyes.page.goto(`${origin}${update![1]}`);
    await eyes.page.click("[data-test=verify]");
    await eyes.page.waitForSelector("[data-test=verdict]");
    const steps = await eyes.page.locator("[data-test=verification] .verdict li").allTextContents();
    expect(await eyes.page.locator("[data-test=verdict]").getAttribute("class"), steps.join("\n")).toContain("ok");
    expect(steps.join(" ")).toContain("equal to the last digit");
    await shoot(eyes.page, "update-verified");
    clean(eyes);
    await eyes.close();
  });

  it("gets by two clicks from the overview to the wildest hours", async () => {
    const eyes = await open(browser, origin);
    await eyes.page.goto(origin);
    await eyes.page.click("[data-test=market-card] h2 a");
    await eyes.page.click("[data-test=turbulent]");
    await eyes.page.waitForFunction(() => location.hash.includes("from="));
    await eyes.page.waitForTimeout(800);
    if (baseUrl === null) expect(await eyes.page.locator("[data-test=turbulent]").textContent()).toContain("2024-08-05");
    await shoot(eyes.page, "market-wildest");
    // Whoever opens the address sees the same.
    const other = await open(browser, origin);
    await other.page.goto(eyes.page.url());
    await other.page.waitForSelector("[data-test=turbulent][aria-pressed=true]");
    clean(eyes);
    clean(other);
    await eyes.close();
    await other.close();
  });

  it("paints within 300 ms and keeps to its budgets", async () => {
    const eyes = await open(browser, origin);
    const warm = await open(browser, origin);
    await warm.page.goto(origin);
    await warm.close();
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const one = await open(browser, origin);
      await one.page.goto(origin);
      await one.page.waitForSelector("[data-test=market-card], main .card");
      times.push(await one.page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]!.startTime));
      await one.close();
    }
    times.sort((left, right) => left - right);
    console.log(`first paint, ms: ${times.map((time) => time.toFixed(0)).join(", ")}`);
    expect(times[2]!).toBeLessThan(300);
    await eyes.page.goto(origin);
    await eyes.page.waitForSelector("main .card");
    const assets = eyes.requests.filter((url) => !url.includes("/v1/"));
    console.log(`requests for the first page: ${assets.length} files, ${eyes.requests.length - assets.length} of the API`);
    expect(assets.length).toBeLessThanOrEqual(8);
    expect(eyes.requests.length).toBeLessThanOrEqual(14);
    await eyes.close();
  });
});
