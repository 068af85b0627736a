/** Numbers and times as people read them: every one with its unit, times in UTC. */

const MINUS = "−";
/** What stands where there is no figure. */
export const NONE = "–";

/** With so many decimals, thousands apart, and a true minus sign. */
export function number(value: number | null | undefined, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const isZero = !/[1-9]/.test(text);
  return value < 0 && !isZero ? `${MINUS}${text}` : text;
}

/** With its sign always. */
export function signed(value: number | null | undefined, decimals = 0): string {
  const text = number(value, decimals);
  return value !== null && value !== undefined && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A share of 1 as percent. */
export const share = (value: number | null | undefined, decimals = 1): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : `${number(value * 100, decimals)} %`;

/** Basis points of a ratio as percent: 15995 → 159.95 %. */
export const ratio = (bps: number | null | undefined): string =>
  bps === null || bps === undefined || !Number.isFinite(bps) ? NONE : `${number(bps / 100, 2)} %`;

/** Hundredths of a bps as bps: 3421 → 34.21 bps. */
export const fee = (pips: number | null | undefined): string =>
  pips === null || pips === undefined || !Number.isFinite(pips) ? NONE : `${number(pips / 100, 2)} bps`;

/** A volatility of one-minute returns as bps: 0.000991 → 9.91 bps. */
export const volatility = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : `${number(value * 1e4, 2)} bps`;

/** Dollars. */
export const dollars = (value: number | null | undefined, decimals = 0): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = number(Math.abs(value), decimals);
  return value < 0 && /[1-9]/.test(text) ? `${MINUS}$${text}` : `$${text}`;
};

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** 2024-08-05 */
export function utcDay(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? NONE : `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}

/** 00:00, or 00:00:15 with seconds. */
export function utcClock(ms: number, withSeconds = false): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return NONE;
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}${withSeconds ? `:${pad(date.getUTCSeconds())}` : ""}`;
}

/** 2024-08-05 00:00 UTC */
export function utc(ms: number | null | undefined, withSeconds = false): string {
  if (ms === null || ms === undefined || Number.isNaN(new Date(ms).getTime())) return NONE;
  return `${utcDay(ms)} ${utcClock(ms, withSeconds)} UTC`;
}

/** The same in the time of whoever looks, with its zone. */
export function local(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return NONE;
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}

/** A span of time in its two largest units: 3 h 41 min. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return NONE;
  const total = Math.max(0, Math.round(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(total / 86400), "d"], [Math.floor(total / 3600) % 24, "h"], [Math.floor(total / 60) % 60, "min"], [total % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** Short spans exactly: 47 ms, 1.52 s. */
export function elapsed(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined || !Number.isFinite(milliseconds)) return NONE;
  if (milliseconds < 1000) return `${number(milliseconds)} ms`;
  return milliseconds < 120_000 ? `${number(milliseconds / 1000, 2)} s` : duration(milliseconds);
}

const UNITS: [bigint, string][] = [[10n ** 18n, "ETH"], [10n ** 9n, "gwei"]];

/** Wei, given in decimal, as ETH, with as many digits as say something. */
export function ether(wei: string | null | undefined): string {
  return scaled(wei, UNITS[0]!);
}

/** Wei, given in decimal, as gwei. */
export function gwei(wei: string | null | undefined): string {
  return scaled(wei, UNITS[1]!);
}

function scaled(wei: string | null | undefined, [unit, name]: [bigint, string]): string {
  if (wei === null || wei === undefined || !/^\d{1,78}$/.test(wei)) return NONE;
  const value = BigInt(wei);
  const whole = value / unit;
  const digits = (value % unit).toString().padStart(unit.toString().length - 1, "0");
  // Four digits that say something, behind the point.
  const shown = whole > 0n ? digits.slice(0, 4) : digits.slice(0, Math.min(digits.length, digits.search(/[1-9]|$/) + 4));
  const fraction = shown.replace(/0+$/, "");
  return `${number(Number(whole))}${fraction ? `.${fraction}` : ""} ${name}`;
}

/** The first and the last digits of a hash. */
export const short = (hash: string, digits = 6): string =>
  hash.length <= 2 * digits + 4 ? hash : `${hash.slice(0, digits + 2)}…${hash.slice(-digits)}`;

const STAGES: Record<string, string> = {
  planned: "Planned", collected: "Data collected", forecast: "Forecast", proved: "Proved", submitting: "Submitting",
  confirmed: "Confirmed on chain", already_by_other: "Landed by another node", missed: "Missed",
};

/** A stage of a cycle in words. */
export const stage = (name: string): string => STAGES[name] ?? name;

/** Underscores away and the first letter large. */
export const words = (name: string): string => {
  const text = name.replace(/_/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const CHAINS: Record<number, string> = {
  1: "Ethereum", 10: "OP Mainnet", 8453: "Base", 42161: "Arbitrum One", 137: "Polygon", 11155111: "Sepolia", 84532: "Base Sepolia", 31337: "Development chain",
};

/** A chain by its EIP-155 id. */
export const chain = (id: number): string => (CHAINS[id] ? `${CHAINS[id]} (${id})` : `Chain ${id}`);
