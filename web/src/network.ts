/**
 * The model in exact integers, as circuit, contract and node compute it: `y = activation(W · x + b) << shift`, layer by layer, on
 * integers of any size. Nothing is rounded, so every machine gets the same.
 */

import type { Network } from "./api/types";

/** Order of the field that public inputs are elements of; negative numbers are counted down from it. */
const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** Contracts take outputs as 128-bit integers. */
const INT128 = 1n << 127n;
/** Far more than any network that fits a contract or a small circuit. */
const MAX_UNITS = 4096;

/** Why a network cannot be computed. */
export class NetworkError extends Error {}

/** The outputs for the feature integers of a market, which is the model's first where no index is given. */
export function evaluate(network: Network, integers: readonly (number | bigint)[], market = 0): bigint[] {
  const bound = network.feature_bound;
  let row = integers.map((value, index) => {
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new NetworkError(`feature ${index} is no integer`);
    if (Math.abs(Number(value)) > bound) throw new NetworkError(`feature ${index} is beyond ±${bound}`);
    return BigInt(value);
  });
  for (const [index, layer] of network.layers.entries()) {
    if (layer.weights.length !== layer.biases.length || layer.weights.length > MAX_UNITS) throw new NetworkError(`layer ${index} has no shape`);
    const own = index + 1 === network.layers.length ? network.offsets[market] : undefined;
    row = layer.weights.map((weights, unit) => {
      if (weights.length !== row.length) throw new NetworkError(`layer ${index} takes ${weights.length} numbers and gets ${row.length}`);
      const sum = weights.reduce((sum, weight, at) => sum + BigInt(weight) * row[at]!, BigInt(layer.biases[unit]!) + BigInt(own?.[unit] ?? 0));
      return activate(layer.activation, sum) << BigInt(layer.shift);
    });
  }
  return row;
}

function activate(activation: string, sum: bigint): bigint {
  switch (activation) {
    case "square":
      return sum * sum;
    case "relu":
      return sum > 0n ? sum : 0n;
    case "none":
      return sum;
    default:
      throw new NetworkError(`activation ${activation} is not known`);
  }
}

/** A field element as the signed integer that it stands for; `null` for what is none, or no 128-bit integer. */
export function decode(element: string): bigint | null {
  if (!/^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/.test(element)) return null;
  const value = BigInt(element);
  if (value >= FIELD) return null;
  const signed = value > FIELD / 2n ? value - FIELD : value;
  return signed >= -INT128 && signed < INT128 ? signed : null;
}

/** An integer of so many bits behind the point as a number. */
export const real = (integer: bigint, scaleLog2: number): number => Number(integer) / 2 ** scaleLog2;

/** Probability of High by the two logits. */
export const probability = (low: number, high: number): number => 1 / (1 + Math.exp(low - high));
