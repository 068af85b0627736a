import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
// @ts-expect-error plain JavaScript
import { COMMITTED, TYPES, typesOf } from "../scripts/api.mjs";

it("the page's types are those of the committed document", async () => {
  const document: unknown = JSON.parse(readFileSync(COMMITTED as URL, "utf8"));
  expect(readFileSync(TYPES as URL, "utf8")).toBe(await typesOf(document));
}, 30_000);

it("no schema stands in the document for two things", () => {
  const { components } = JSON.parse(readFileSync(COMMITTED as URL, "utf8")) as { components: { schemas: Record<string, { required?: string[]; properties?: Record<string, unknown> }> } };
  for (const [name, { required = [], properties = {} }] of Object.entries(components.schemas)) {
    for (const field of required) expect(Object.keys(properties), `${name}.${field}`).toContain(field);
  }
  expect(Object.keys(components.schemas["YieldProofView"]!.properties!)).toContain("period");
  expect(Object.keys(components.schemas["ProofView"]!.properties!)).toContain("call_data");
});
