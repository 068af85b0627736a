import type { VNode } from "preact";
import { describe, expect, it } from "vitest";
import { cell, csv } from "../src/components/download";
import { Markdown, blocks, inline, safeLink } from "../src/components/markdown";
import { compare } from "../src/components/table";
import { lastAt } from "../src/components/time-chart";
import { merged } from "../src/components/calibration";
import { rangeOf } from "../src/pages/lab";
import { barsFor, wildest } from "../src/pages/market";
import { decode, encode } from "../src/policy";
import { href, parse } from "../src/route";
import { change, direction, likely } from "../src/story";
import type { Moved, Series } from "../src/api/types";

const HOSTILE = ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "\"><svg/onload=alert(1)>", "javascript:alert(1)", "&lt;b&gt;", "\u202egnp.exe"];

/** Every element that a tree holds, with its attributes. */
function elements(node: unknown): { type: string; props: Record<string, unknown> }[] {
  if (Array.isArray(node)) return node.flatMap(elements);
  if (typeof node !== "object" || node === null) return [];
  const { type, props } = node as VNode<Record<string, unknown>>;
  if (typeof type === "function") return elements((type as (props: unknown) => unknown)(props));
  return [{ type: String(type), props }, ...elements(props["children"])];
}

describe("markdown", () => {
  it("makes no markup of text from outside", () => {
    for (const text of HOSTILE) {
      const document = `# ${text}\n\n${text}\n\n- ${text}\n\n| ${text} |\n|---|\n| ${text} |\n\n[${text}](${text})\n\n![${text}](https://elsewhere.example/x.png)\n\n\`${text}\``;
      const found = elements(<Markdown text={document} label="card" />);
      expect(found.length).toBeGreaterThan(8);
      const allowed = new Set(["div", "h2", "h3", "h4", "p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong", "em", "a", "span"]);
      for (const { type, props } of found) {
        expect(allowed.has(type), type).toBe(true);
        expect(Object.keys(props).filter((name) => /^on|dangerously|^src$/i.test(name))).toEqual([]);
        if (type === "a") expect(String(props["href"])).toMatch(/^https?:/);
      }
    }
  });

  it("follows links to the web alone", () => {
    expect(safeLink("https://example.org/a")).toBe("https://example.org/a");
    for (const bad of ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "//example.org", "https://a\"b", "vbscript:x", " javascript:x"]) expect(safeLink(bad)).toBeNull();
  });

  it("knows headings, lists, tables and code", () => {
    const kinds = blocks("# A\n\ntext\nmore\n\n1. one\n   still one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n# no heading\n```").map((block) => block.kind);
    expect(kinds).toEqual(["heading", "paragraph", "list", "table", "code"]);
    expect(inline("a `b` **c** *d*")).toHaveLength(6);
    expect(blocks("1. one\n   still one")[0]).toEqual({ kind: "list", items: ["one still one"], isNumbered: true });
  });

  it("ends, and soon, whatever it is given", () => {
    const begun = performance.now();
    for (const text of ["*".repeat(50_000), "[".repeat(50_000), "|".repeat(50_000), "`".repeat(50_000), "# ".repeat(20_000)]) elements(<Markdown text={text} label="x" />);
    expect(performance.now() - begun).toBeLessThan(4_000);
  });
});

describe("exports", () => {
  it("quotes, and lets no cell be a formula", () => {
    expect(cell("a,b\"c")).toBe("\"a,b\"\"c\"");
    expect(cell("=HYPERLINK(1)")).toBe("'=HYPERLINK(1)");
    expect(cell("-1.5")).toBe("-1.5");
    expect(cell(-1.5)).toBe("-1.5");
    expect(cell(Number.NaN)).toBe("");
    expect(csv({ a: [1, null], "b,c": ["x", "y"] })).toBe("a,\"b,c\"\r\n1,x\r\n,y\r\n");
  });
});

describe("addresses", () => {
  it("go there and back", () => {
    const name = "BTC/USD <b>?&#%";
    expect(parse(href("market", name, { job: "a b&c", empty: null, none: "" }))).toEqual({ page: "market", name, query: { job: "a b&c" } });
    expect(parse("")).toEqual({ page: "", name: "", query: {} });
    expect(parse("#/update/%E0%A4%A")).toEqual({ page: "update", name: "%E0%A4%A", query: {} });
  });

  it("hold a policy", () => {
    const knot = { volatility_e9: 600_000, borrow_collateral_ratio_bps: 15_000, liquidation_collateral_ratio_bps: 13_000, amm_fee_pips: 1_300, borrow_cap_factor_bps: 10_000 };
    const policy = { knots: [knot, { ...knot, volatility_e9: 900_000 }], margin_bps: 500, dwell_periods: 2, max_rise_bps_per_period: 10_000, max_fall_bps_per_period: 2_500, loosen_delay_seconds: 600, liquidation_rise_bps_per_day: 0, grace_after_bps: 15_000, stale_after_bps: 30_000 };
    expect(decode(encode(policy))).toEqual(policy);
    for (const bad of [undefined, "", "1", "1.2.3", `${encode(policy)}.1`, encode(policy).replace("600000", "-1"), encode(policy).replace("600000", "1e9")]) expect(decode(bad)).toBeNull();
  });
});

describe("the policy lab", () => {
  it("takes days of an address, the last one included", () => {
    expect(rangeOf({ from: "2024-08-01", to: "2024-08-05" })).toEqual({ from_ms: Date.UTC(2024, 7, 1), to_ms: Date.UTC(2024, 7, 6) });
    expect(rangeOf({})).toEqual({ from_ms: null, to_ms: null });
    for (const bad of ["", "2024-13-01", "yesterday", "1", "2024-08-01T00:00", "1969-12-31"]) expect(rangeOf({ from: bad, to: bad })).toEqual({ from_ms: null, to_ms: null });
  });
});

it("draws two reliabilities over one axis, each in its own line", () => {
  const bin = (forecast: number) => ({ forecast, observed: forecast, count: 1 });
  expect(merged([bin(0.9), bin(0.1)], [bin(0.5)]).map(({ bin: { forecast }, isBeside }) => [forecast, isBeside])).toEqual([[0.1, false], [0.5, true], [0.9, false]]);
});

describe("what is told of an update", () => {
  const vector = { borrow_collateral_ratio_bps: 15_995, liquidation_collateral_ratio_bps: 13_000, amm_fee_pips: 3_421, borrow_cap_factor_bps: 9_000 };
  const moved = (after: Partial<typeof vector>): Moved => ({ before: vector, after: { ...vector, ...after }, effective_at_s: 0, forecast_volatility: 0, requested_volatility: 0, applied_volatility: 0, bound: [], because: "" });

  it("says what is likely and what changed", () => {
    expect(likely(0.985)).toBe("98.5 % likely High");
    expect(likely(0.253)).toBe("74.7 % likely Low");
    expect(change(15_995, 16_468, (value) => `${(value / 100).toFixed(2)} %`)).toBe("159.95 → 164.68 %");
    expect(change(1, 1, (value) => `${value} bps`)).toBe("unchanged at 1 bps");
    expect(change(null, 1, (value) => `${value} bps`)).toBe("1 bps");
  });

  it("knows tighter from looser", () => {
    expect(direction(moved({ borrow_collateral_ratio_bps: 16_000 }))).toBe("tighter");
    expect(direction(moved({ amm_fee_pips: 3_000 }))).toBe("looser");
    expect(direction(moved({ borrow_cap_factor_bps: 8_000 }))).toBe("tighter");
    expect(direction(moved({}))).toBe("unchanged");
    expect(direction({ ...moved({}), before: null })).toBe("first");
  });
});

describe("charts", () => {
  it("find the entry of a time", () => {
    const entries = [{ time: 10 }, { time: 20 }, { time: 30 }];
    expect([5, 10, 19, 30, 99].map((time) => lastAt(entries, time))).toEqual([-1, 0, 0, 2, 2]);
    expect(lastAt([], 1)).toBe(-1);
  });

  it("take bars that show something and are not too many", () => {
    const day = 86_400_000;
    expect([day / 8, day, 7 * day, 30 * day, 4 * 365 * day].map(barsFor)).toEqual([1, 5, 60, 240, 240]);
  });

  it("find the wildest hours", () => {
    const series = { period: [1, 2, 3], start_ms: [0, 1, 2], realised_volatility: [1, 5, null], volatility: [1, 1, 2] } as unknown as Series;
    expect(wildest(series)?.at).toBe(1);
    expect(wildest({ ...series, period: [1] })).toBeNull();
  });
});

it("sorts numbers by size, texts by letters, nothing last", () => {
  expect([3, null, 1].sort(compare)).toEqual([1, 3, null]);
  expect(["b10", "b9", "a"].sort(compare)).toEqual(["a", "b9", "b10"]);
});
