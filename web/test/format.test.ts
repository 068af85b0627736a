import { describe, expect, it } from "vitest";
import * as format from "../src/format";

describe("numbers", () => {
  it("has a true minus, thousands, and nothing for nothing", () => {
    expect(format.number(-1234.5, 1)).toBe("−1,234.5");
    expect(format.number(-0.0001, 2)).toBe("0.00");
    expect(format.number(null)).toBe("–");
    expect(format.number(Number.NaN)).toBe("–");
    expect(format.number(Infinity)).toBe("–");
    expect(format.signed(0.5, 1)).toBe("+0.5");
    expect(format.signed(0, 1)).toBe("0.0");
    expect(format.signed(-2)).toBe("−2");
  });

  it("has each with its unit", () => {
    expect(format.share(0.985)).toBe("98.5 %");
    expect(format.ratio(15_995)).toBe("159.95 %");
    expect(format.fee(3_421)).toBe("34.21 bps");
    expect(format.volatility(0.000991)).toBe("9.91 bps");
    expect(format.dollars(-23_900)).toBe("−$23,900");
    expect([format.share(null), format.ratio(undefined), format.fee(null), format.volatility(undefined), format.dollars(null)]).toEqual(Array(5).fill("–"));
  });

  it("reads wei without rounding through floats", () => {
    expect(format.ether("5777479980000000")).toBe("0.005777 ETH");
    expect(format.ether("823400000000000000")).toBe("0.8234 ETH");
    expect(format.ether("1")).toBe("0.000000000000000001 ETH");
    expect(format.ether("0")).toBe("0 ETH");
    expect(format.gwei("31000000000")).toBe("31 gwei");
    expect(format.gwei("12345678901")).toBe("12.3456 gwei");
    expect(format.ether("-1")).toBe("–");
    expect(format.ether("1e18")).toBe("–");
    expect(format.ether(null)).toBe("–");
  });
});

describe("times", () => {
  const crash = Date.UTC(2024, 7, 5, 0, 0, 7);
  it("are UTC, whatever the zone of whoever looks", () => {
    expect(format.utc(crash)).toBe("2024-08-05 00:00 UTC");
    expect(format.utc(crash, true)).toBe("2024-08-05 00:00:07 UTC");
    expect(format.utcDay(crash - 8_000)).toBe("2024-08-04");
    expect(format.utc(null)).toBe("–");
    expect(format.utc(8.65e15)).toBe("–");
  });

  it("last as people say it", () => {
    expect(format.duration(0)).toBe("0 s");
    expect(format.duration(-5)).toBe("0 s");
    expect(format.duration(59_000)).toBe("59 s");
    expect(format.duration(13_260_000)).toBe("3 h 41 min");
    expect(format.duration(86_400_000)).toBe("1 d");
    expect(format.duration(90_061_000)).toBe("1 d 1 h");
    expect(format.elapsed(47)).toBe("47 ms");
    expect(format.elapsed(1_520)).toBe("1.52 s");
    expect(format.elapsed(null)).toBe("–");
  });
});

it("shortens hashes and names stages", () => {
  expect(format.short(`0x${"ab".repeat(32)}`, 4)).toBe("0xabab…abab");
  expect(format.short("0x12")).toBe("0x12");
  expect(format.stage("already_by_other")).toBe("Landed by another node");
  expect(format.stage("<b>")).toBe("<b>");
  expect(format.words("log_rms_return")).toBe("Log rms return");
});
