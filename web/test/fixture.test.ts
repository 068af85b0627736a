import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
// @ts-expect-error plain JavaScript
import { COMMITTED } from "../scripts/api.mjs";
// @ts-expect-error plain JavaScript
import { FixtureServer } from "../e2e/fixture/server.mjs";

interface Schema { $ref?: string; type?: string | string[]; oneOf?: Schema[]; allOf?: Schema[]; items?: Schema; properties?: Record<string, Schema>; additionalProperties?: Schema }

const document = JSON.parse(readFileSync(COMMITTED as URL, "utf8")) as { components: { schemas: Record<string, Schema> } };
const named = (reference: string): Schema => document.components.schemas[reference.split("/").at(-1)!]!;

const KINDS: Record<string, (value: unknown) => boolean> = {
  null: (value) => value === null, string: (value) => typeof value === "string", boolean: (value) => typeof value === "boolean", number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value), array: Array.isArray, object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

function fieldsOf(schema: Schema): Record<string, Schema> {
  const parts = [...(schema.allOf ?? []), ...(schema.$ref ? [named(schema.$ref)] : [])];
  return Object.assign({}, ...parts.map(fieldsOf), schema.properties ?? {}) as Record<string, Schema>;
}

/** Where an answer is of another kind than the document says, or has what it does not tell of; what is absent is not looked at. */
function misfits(value: unknown, schema: Schema, at: string): string[] {
  if (schema.oneOf) {
    const found = schema.oneOf.map((one) => misfits(value, one, at));
    return found.some((one) => one.length === 0) ? [] : found[0]!;
  }
  const fields = fieldsOf(schema);
  if (Object.keys(fields).length > 0) {
    if (!KINDS["object"]!(value)) return [`${at} is no object`];
    return Object.entries(value as object).flatMap(([name, inner]) => (fields[name] ? misfits(inner, fields[name], `${at}.${name}`) : [`${at}.${name} is not told of`]));
  }
  const kinds = schema.type === undefined ? [] : [schema.type].flat();
  if (kinds.length > 0 && !kinds.some((kind) => KINDS[kind]!(value))) return [`${at} is no ${kinds.join(" or ")}`];
  if (Array.isArray(value)) return value.slice(0, 5).flatMap((one, index) => misfits(one, schema.items ?? {}, `${at}[${index}]`));
  const { additionalProperties: inner } = schema;
  return inner && typeof value === "object" && value !== null ? Object.entries(value).flatMap(([name, one]) => misfits(one, inner, `${at}.${name}`)) : [];
}

it("the made-up node answers as the document says", () => {
  const server = new FixtureServer() as { world: { newest: { period: number } }; answer: (path: string, query: object) => { status?: number; body: unknown }; post: (path: string, body: object) => { status?: number; body: unknown } };
  const market = { market: "BTC-USD" };
  const asked: [string, object, string][] = [
    ["v1/overview", {}, "OverviewView"], ["v1/series", market, "SeriesView"], ["v1/candles", { ...market, from_ms: Date.UTC(2024, 7, 4), to_ms: Date.UTC(2024, 7, 5), minutes: 60 }, "CandlesView"], ["v1/score", market, "ScoreView"],
    ["v1/periods", {}, "PeriodsView"], [`v1/periods/${server.world.newest.period}/explained`, {}, "ExplainedView"], ["v1/params/BTC-USD", {}, "ParamsView"], ["v1/policy/BTC-USD", {}, "MarketPolicyView"], ["v1/model", {}, "ModelView"],
    ["v1/model/card", {}, "CardView"], ["v1/operations", {}, "OperationsView"], ["v1/logs", {}, "LogsView"], ["v1/yields", {}, "YieldsView"], ["v1/allocation", { capital_usd: 1_000 }, "AllocationView"],
  ];
  const plain = (body: unknown): unknown => JSON.parse(JSON.stringify(body, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)));
  const found = asked.flatMap(([path, query, schema]) => {
    const { status = 200, body } = server.answer(path, query);
    expect(status, path).toBe(200);
    return misfits(plain(body), named(schema), path);
  });
  const { policy } = server.answer("v1/policy/BTC-USD", {}).body as { policy: object };
  const lab = server.post("v1/lab", { ...market, policy, from_ms: null, to_ms: null, gas_price_gwei: 5, eth_usd: 3_000 });
  expect([...found, ...misfits(plain(lab.body), named("LabView"), "v1/lab")]).toEqual([]);
});

it("another answer than the document says is found", () => {
  expect(misfits({ code: "a", message: 1, hint: "b", more: 1 }, named("ErrorBody"), "it")).toEqual(["it.message is no string", "it.more is not told of"]);
});
