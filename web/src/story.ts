/** One update in plain words. */

import type { ExplainedMarket, Moved } from "./api/types";
import * as format from "./format";

/** 98.5 % likely High, or 74.7 % likely Low. */
export function likely(probabilityHigh: number): string {
  return probabilityHigh >= 0.5 ? `${format.share(probabilityHigh)} likely High` : `${format.share(1 - probabilityHigh)} likely Low`;
}

/** 159.95 → 164.68 %; one figure where nothing moved. */
export function change(before: number | null | undefined, after: number, show: (value: number) => string): string {
  if (before === null || before === undefined) return show(after);
  if (before === after) return `unchanged at ${show(after)}`;
  const unit = show(after).split(" ").at(-1);
  return `${show(before).replace(` ${unit}`, "")} → ${show(after)}`;
}

/** Where the parameters went: tighter, looser, or nowhere. */
export function direction(moved: Moved): "tighter" | "looser" | "unchanged" | "first" {
  const { before, after } = moved;
  if (!before) return "first";
  const tightness = (vector: Moved["after"]) => [vector.borrow_collateral_ratio_bps, vector.amm_fee_pips, -vector.borrow_cap_factor_bps];
  const differences = tightness(after).map((value, at) => value - tightness(before)[at]!);
  const moves = differences.find((difference) => difference !== 0) ?? 0;
  return moves > 0 ? "tighter" : moves < 0 ? "looser" : "unchanged";
}

/** Outputs of a market read as what they mean. */
export function reading(market: ExplainedMarket): { probabilityHigh: number; volatility: number } | null {
  const value = (name: string) => market.outputs.find((output) => output.name === name)?.value;
  const [low, high, log] = [value("logit_low"), value("logit_high"), value("log_volatility")];
  if (low === undefined || high === undefined || log === undefined) return null;
  return { probabilityHigh: 1 / (1 + Math.exp(low - high)), volatility: Math.exp(log) };
}

/** What each rule that may bind means. */
export const BOUNDS: Record<string, string> = {
  dwell: "Dwell: looser values need several updates in a row that ask for them.",
  margin: "Margin: the forecast is lower, but by too little to loosen.",
  max_rise: "Rate limit: the applied volatility may not rise faster.",
  max_fall: "Rate limit: the applied volatility may not fall faster.",
  first_knot: "First knot: the policy does not get looser than this.",
  last_knot: "Last knot: the policy does not get tighter than this.",
  loosen_delay: "Delay: looser values hold only some time after the update landed.",
};
