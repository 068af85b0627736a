/** A policy in an address, and what its knobs are. */

import type { Knot, Policy } from "./api/types";

export interface Knob { key: Exclude<keyof Policy, "knots">; title: string; unit: string; hint: string }

export const KNOBS: Knob[] = [
  { key: "margin_bps", title: "Margin", unit: "bps of the span", hint: "How far below the applied volatility a forecast must lie to ask for looser values" },
  { key: "dwell_periods", title: "Dwell", unit: "periods", hint: "Forecasts in a row that must ask for looser values" },
  { key: "max_rise_bps_per_period", title: "Fastest rise", unit: "bps of the span a period", hint: "Most that the applied volatility rises" },
  { key: "max_fall_bps_per_period", title: "Fastest fall", unit: "bps of the span a period", hint: "Most that the applied volatility falls" },
  { key: "loosen_delay_seconds", title: "Delay of looser values", unit: "s", hint: "Looser values hold from this long after the update on" },
  { key: "liquidation_rise_bps_per_day", title: "Liquidation ramp", unit: "bps a day", hint: "Speed at which the liquidation ratio may rise" },
  { key: "grace_after_bps", title: "Grace after", unit: "bps of a period", hint: "Age at which an update stops being fresh" },
  { key: "stale_after_bps", title: "Stale after", unit: "bps of a period", hint: "Age at which readers get cautious values" },
];

export const KNOT_FIELDS: { key: keyof Knot; title: string; unit: string; divide: number; decimals: number }[] = [
  { key: "volatility_e9", title: "Volatility", unit: "bps", divide: 100_000, decimals: 2 },
  { key: "borrow_collateral_ratio_bps", title: "Collateral ratio", unit: "%", divide: 100, decimals: 2 },
  { key: "liquidation_collateral_ratio_bps", title: "Liquidation ratio", unit: "%", divide: 100, decimals: 2 },
  { key: "amm_fee_pips", title: "Swap fee", unit: "bps", divide: 100, decimals: 2 },
  { key: "borrow_cap_factor_bps", title: "Borrow cap open", unit: "%", divide: 100, decimals: 2 },
];

const MAX_KNOTS = 4;

/** Numbers apart by dots, knots by underscores: short enough for an address. */
export function encode(policy: Policy): string {
  const knots = policy.knots.map((knot) => KNOT_FIELDS.map(({ key }) => knot[key]).join("."));
  return [...knots, KNOBS.map(({ key }) => policy[key]).join(".")].join("_");
}

/** The policy of an address; `null` for what is none. */
export function decode(text: string | undefined): Policy | null {
  const parts = (text ?? "").split("_").map((part) => part.split(".").map((number) => (/^\d{1,12}$/.test(number) ? Number(number) : Number.NaN)));
  const rest = parts.pop();
  if (!rest || rest.length !== KNOBS.length || parts.length < 2 || parts.length > MAX_KNOTS) return null;
  if (parts.some((part) => part.length !== KNOT_FIELDS.length) || [...parts, rest].flat().some(Number.isNaN)) return null;
  const knots = parts.map((part) => Object.fromEntries(KNOT_FIELDS.map(({ key }, at) => [key, part[at]])) as unknown as Knot);
  return { knots, ...(Object.fromEntries(KNOBS.map(({ key }, at) => [key, rest[at]])) as Omit<Policy, "knots">) };
}
