/**
 * What the button of an update's page does: computes the network from the features again, compares with what is published, and asks
 * the chain whether it accepts the proof. Each step says what it showed, and none says more.
 */

import { ask, ApiError } from "./api/client";
import type { Explained, Network } from "./api/types";
import { evaluate, decode } from "./network";

/** How a step came out: it holds, it does not, or it could not be made. */
export type Outcome = "holds" | "fails" | "unknown";
export interface Step { name: string; outcome: Outcome; detail: string }

/** Outputs in a table: what the page computed, and what the node says. */
export interface Compared { market: string; name: string; computed: string; published: string; isSame: boolean }
export interface Verdict { steps: Step[]; compared: Compared[]; outcome: Outcome }

const hex = async (bytes: Uint8Array): Promise<string | null> => {
  // Browsers hash only over TLS and on this machine.
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

function bytesOf(text: string): Uint8Array | null {
  const digits = text.replace(/^0x/, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The outputs of every market, computed here and held against those of the node. */
export function recompute(explained: Explained, network: Network): Compared[] {
  return explained.markets.flatMap((market, index) => {
    if (market.is_omitted) return [];
    const outputs = evaluate(network, market.features.map((feature) => feature.integer), index);
    return market.outputs.map((output, at) => {
      const computed = outputs[at]?.toString() ?? "none";
      return { market: market.market, name: output.name, computed, published: output.integer, isSame: computed === output.integer };
    });
  });
}

/** Whether public inputs are these features, then these outputs, market by market. */
export function matchesInputs(explained: Explained): boolean | null {
  if (!explained.proof) return null;
  const signed = explained.proof.public_inputs.map(decode);
  const features = explained.markets.flatMap((market) => market.features.map((feature) => BigInt(feature.integer)));
  const outputs = explained.markets.flatMap((market) => market.outputs.map((output) => BigInt(output.integer)));
  const expected = [...features, ...outputs];
  return signed.length === expected.length && signed.every((value, at) => value === expected[at]);
}

/** Whether the data of the call hold exactly these public inputs, each as a word of 32 bytes in its order. */
export function callHolds(explained: Explained): boolean | null {
  if (!explained.proof) return null;
  const words = explained.proof.public_inputs.map((element) => BigInt(element).toString(16).padStart(64, "0")).join("");
  const count = explained.proof.public_inputs.length.toString(16).padStart(64, "0");
  return explained.proof.call_data.toLowerCase().includes(count + words);
}

/** All steps, told one after the other. */
export async function verify(explained: Explained, job: string | null, told: (steps: Step[]) => void): Promise<Verdict> {
  const steps: Step[] = [];
  const step = (name: string, outcome: Outcome, detail: string) => { steps.push({ name, outcome, detail }); told([...steps]); };
  let compared: Compared[] = [];

  if (!explained.network || explained.markets.length === 0) {
    step("Network", "unknown", "The node gives no network for this update, so nothing can be computed here.");
  } else {
    try {
      const begun = performance.now();
      compared = recompute(explained, explained.network);
      const wrong = compared.filter((one) => !one.isSame);
      const weights = explained.network.layers.reduce((sum, layer) => sum + layer.weights.reduce((sum, row) => sum + row.length, 0) + layer.biases.length, 0);
      step("Network computed in this browser", wrong.length === 0 ? "holds" : "fails", wrong.length === 0
        ? `${compared.length} outputs from ${weights} integers, equal to the last digit (${(performance.now() - begun).toFixed(1)} ms).`
        : `${wrong.length} of ${compared.length} outputs differ from what the node says: ${wrong.map((one) => one.name).join(", ")}.`);
    } catch (error) {
      step("Network computed in this browser", "fails", `It cannot be computed: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }

  const matches = matchesInputs(explained);
  if (matches === null) step("Public inputs", "unknown", explained.is_pruned ? "The proof was deleted with the evidence, because of its age." : "There is no proof yet.");
  else step("Public inputs of the proof", matches ? "holds" : "fails", matches ? "They are exactly these features and these outputs." : "They are not these features and outputs.");

  if (explained.proof) {
    const bytes = bytesOf(explained.proof.bytes);
    const sum = bytes ? await hex(bytes) : null;
    if (bytes && sum !== null && bytes.length > 0) step("Digest of the proof", sum === explained.proof.sha256 ? "holds" : "fails", sum === explained.proof.sha256 ? `SHA-256 ${sum.slice(0, 16)}…` : "The bytes have another SHA-256.");
    const holds = callHolds(explained);
    if (!holds) step("Call to the verifier", "fails", "The call's data do not hold these public inputs: the chain would be asked about something else.");
    else await askChain(explained.proof.verifier, explained.proof.call_data, job, step);
  }
  const outcome: Outcome = steps.some((one) => one.outcome === "fails") ? "fails" : steps.some((one) => one.outcome === "unknown") ? "unknown" : "holds";
  return { steps, compared, outcome };
}

async function askChain(verifier: string | null, data: string, job: string | null, step: (name: string, outcome: Outcome, detail: string) => void): Promise<void> {
  const name = "The chain's verifier, asked by eth_call";
  if (!verifier) {
    step(name, "unknown", "The node does not know the verifier's address.");
    return;
  }
  try {
    const { result } = await ask<{ result: string }>("./v1/call", { body: { job, to: verifier, data } });
    const isTrue = /^0x0*1$/.test(result);
    step(name, isTrue ? "holds" : "fails", isTrue ? `${verifier} accepts it at the latest block.` : `${verifier} does not accept it: it answered ${result.slice(0, 80)}.`);
  } catch (error) {
    if (error instanceof ApiError) step(name, error.status === 422 ? "fails" : "unknown", `${error.message} (${error.code})${error.hint ? ` ${error.hint}` : ""}`);
    else throw error;
  }
}
