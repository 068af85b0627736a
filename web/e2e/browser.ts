/** A browser with eyes: it fails a test for an error of the console, and for a request elsewhere. */

import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { expect } from "vitest";
// @ts-expect-error plain JavaScript
import { chromiumInstalled } from "./chromium.mjs";

const SHOTS = fileURLToPath(new URL("./shots/", import.meta.url));
const AXE = readFileSync(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");

export const path = chromiumInstalled() as string | null;
if (path === null) console.error(`\n${"!".repeat(78)}\n! SKIPPED: the dashboard was seen by no browser: there is no chromium, and none could be installed\n${"!".repeat(78)}\n`);

/** Where the pages of a real node are, or `null` for the made-up one. */
export const baseUrl: string | null = process.env["VERIREGIME_PAGE"] ? process.env["VERIREGIME_PAGE"].replace(/\/?$/, "/") : null;

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: path!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

export interface Eyes { page: Page; context: BrowserContext; errors: string[]; elsewhere: string[]; requests: string[]; close: () => Promise<void> }
export interface Look { width?: number; theme?: "light" | "dark"; clockMs?: number }

/** A page whose errors and requests are noted. */
export async function open(browser: Browser, origin: string, look: Look = {}): Promise<Eyes> {
  const context = await browser.newContext({ viewport: { width: look.width ?? 1440, height: 900 }, colorScheme: look.theme ?? "light", timezoneId: "America/New_York", acceptDownloads: true });
  const page = await context.newPage();
  if (look.clockMs !== undefined) await page.clock.setSystemTime(look.clockMs);
  const [errors, elsewhere, requests]: string[][] = [[], [], []];
  page.on("console", (message) => { if (message.type() === "error") errors!.push(`${message.text()} ${message.location().url}`); });
  page.on("pageerror", (error) => errors!.push(`${error.message} ${error.stack ?? ""}`));
  page.on("request", (request) => {
    requests!.push(request.url());
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url())) elsewhere!.push(request.url());
  });
  return { page, context, errors: errors!, elsewhere: elsewhere!, requests: requests!, close: () => context.close() };
}

/** Nothing went wrong that nobody expected. */
export function clean(eyes: Eyes, expected: RegExp | null = null): void {
  expect(eyes.errors.filter((error) => !expected?.test(error))).toEqual([]);
  expect(eyes.elsewhere).toEqual([]);
}

/** Serious findings of axe. The page's policy forbids scripts of others, so it is put in from outside of it. */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Finding { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }
    const { violations } = await (window as unknown as { axe: { run: () => Promise<{ violations: Finding[] }> } }).axe.run();
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    return serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map((node) => `${node.target.join(" ")} (${node.failureSummary.split("\n").slice(1).join(" ").trim()})`).join("; ")}`);
  });
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
}
