import { expect, it } from "vitest";
import type { components } from "../src/api/openapi";
import type * as page from "../src/api/types";

type Schemas = components["schemas"];
/** The document calls what may be null absent; the node writes it as null. */
type Told<T> = T extends (infer U)[] ? Told<U>[] : T extends object ? { [K in keyof T]-?: Told<Exclude<T[K], undefined>> } : T;
/** Compiles only where what the node's document promises is what the page takes. */
const takes = <Page, Node extends Page>(): [Page?, Node?] => [];

it("the page takes what the OpenAPI document promises", () => {
  const agreed = [
    takes<page.Series, Told<Schemas["SeriesView"]>>(), takes<page.Candles, Told<Schemas["CandlesView"]>>(), takes<page.Score, Told<Schemas["ScoreView"]>>(),
    takes<page.LabResult, Told<Schemas["LabView"]>>(), takes<page.Policy, Told<Schemas["PolicyView"]>>(),
    takes<page.Moved, Told<Schemas["MovedView"]>>(),
    takes<page.Network, Told<Schemas["NetworkView"]>>(),
  ];
  expect(agreed).toHaveLength(7);
});
