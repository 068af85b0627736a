import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Network } from "../src/api/types";
import { NetworkError, decode, evaluate, probability, real } from "../src/network";
// @ts-expect-error plain JavaScript of the fixture server
import { network } from "../e2e/fixture/onnx.mjs";

const root = new URL("../../", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), "utf8"));
const loaded = (folder: string) => network(readFileSync(new URL(`${folder}/model.onnx`, root)), read(`${folder}/manifest.json`)) as Network;

interface Vector { candle_feature_count: number; features: bigint[]; outputs: bigint[] }

/** A proof's fixture of the contracts' tests: its public inputs are features, then outputs. */
function vector(path: string): Vector {
  const fixture = read(path) as { candle_feature_count: number; calendar_feature_count: number; instances: string[]; outputs: string[] };
  const count = fixture.candle_feature_count + fixture.calendar_feature_count;
  return { candle_feature_count: count, features: fixture.instances.slice(0, count).map((one) => decode(one)!), outputs: fixture.outputs.map(BigInt) };
}

describe("the network of the shared vectors", () => {
  const shipped = loaded("models/btc-regime-4h-v1");
  const fixtures = ["contracts/test/fixtures/btc-regime-4h-v1.json", "contracts/test/fixtures/halo2/btc-regime-4h-v1.json"];

  it.each(fixtures)("gives the outputs that %s proves", (path) => {
    const { features, outputs } = vector(path);
    expect(features).toHaveLength(16);
    expect(evaluate(shipped, features)).toEqual(outputs);
  });

  it("reads outputs off the proof's field elements", () => {
    const fixture = read(fixtures[0]!) as { instances: string[]; outputs: string[] };
    expect(fixture.instances.slice(16).map((one) => decode(one))).toEqual(fixture.outputs.map(BigInt));
  });

  it("differs where one weight, bias or feature differs by one", () => {
    const { features, outputs } = vector(fixtures[0]!);
    const changed = structuredClone(shipped);
    changed.layers[0]!.weights[3]![2] = (BigInt(changed.layers[0]!.weights[3]![2]!) + 1n).toString();
    expect(evaluate(changed, features)).not.toEqual(outputs);
    const other = [...features];
    other[5] = other[5]! + 1n;
    expect(evaluate(shipped, other)).not.toEqual(outputs);
  });

  it("computes the electricity model's linear layer", () => {
    const path = "contracts/test/fixtures/eu-electricity-v1.json";
    const fixture = read(path) as { instances?: string[]; outputs?: string[] };
    const electricity = loaded("models/eu-electricity-v1");
    expect(fixture.instances).toBeDefined();
    const inputs = electricity.layers[0]!.weights[0]!.length;
    const features = fixture.instances!.slice(0, inputs).map((one) => decode(one)!);
    expect(evaluate(electricity, features)).toEqual(fixture.instances!.slice(inputs).map((one) => decode(one)));
  });
});

describe("arithmetic", () => {
  const plain = { input_scale_log2: 0, output_scale_log2: 0, feature_bound: 10, offsets: [] };
  const tiny = (activation: string, shift = 0): Network => ({ ...plain, layers: [{ weights: [["3", "-2"]], biases: ["-1"], activation, shift }] });

  it("squares, cuts and shifts", () => {
    expect(evaluate(tiny("none"), [1, 5])).toEqual([-8n]);
    expect(evaluate(tiny("square"), [1, 5])).toEqual([64n]);
    expect(evaluate(tiny("relu"), [1, 5])).toEqual([0n]);
    expect(evaluate(tiny("none", 4), [1, 5])).toEqual([-128n]);
  });

  it("adds what is a market's own to the sums of the last layer, before they are shifted", () => {
    const hidden = tiny("square").layers[0]!;
    const two: Network = { ...plain, layers: [hidden, { weights: [["1"]], biases: ["6"], activation: "none", shift: 1 }], offsets: [["0"], ["-5"]] };
    expect([evaluate(two, [1, 5]), evaluate(two, [1, 5], 1)]).toEqual([[140n], [130n]]);
    expect(evaluate({ ...two, offsets: [] }, [1, 5], 1)).toEqual([140n]);
  });

  it("refuses what is no network", () => {
    expect(() => evaluate(tiny("tanh"), [1, 5])).toThrow(NetworkError);
    expect(() => evaluate(tiny("none"), [1])).toThrow(NetworkError);
    expect(() => evaluate(tiny("none"), [1.5, 0])).toThrow(NetworkError);
    expect(() => evaluate(tiny("none"), [11, 0])).toThrow(NetworkError);
  });

  it("keeps numbers that floats would round", () => {
    const huge: Network = { ...plain, layers: [{ weights: [["9007199254740993"]], biases: ["1"], activation: "square", shift: 1 }] };
    expect(evaluate(huge, [1])).toEqual([(9007199254740994n ** 2n) << 1n]);
  });

  it("decodes field elements", () => {
    const field = read("contracts/test/vectors/field.json") as { accepted: { value: string; element: string }[]; rejected: { element: string }[] };
    expect(field.accepted.length).toBeGreaterThan(5);
    for (const { value, element } of field.accepted) expect(decode(element)).toBe(BigInt(value));
    for (const { element } of field.rejected) expect(decode(element)).toBeNull();
    expect(decode("0xzz")).toBeNull();
  });

  it("reads logits", () => {
    expect(real(-(1n << 74n), 74)).toBe(-1);
    expect(probability(0, 0)).toBe(0.5);
  });
});

it("finds the fixtures where it looks", () => {
  expect(existsSync(new URL("contracts/test/fixtures", root))).toBe(true);
  expect(readdirSync(new URL("models", root)).length).toBeGreaterThan(2);
});
