// Writes contracts/snapshots/CodeSize.json, the bytes of each contract on chain and the lines of its source, from forge's
// output folder, and fails where one is larger than it may be.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const LIMITS = {
  RiskOracle: { bytes: 18_432, lines: 300 },
  ModelRegistry: { bytes: 18_432, lines: 300 },
  HedgeVault: { bytes: 18_432, lines: 250 },
  Feed: { bytes: 18_432, lines: 250 },
  AaveRegimeSteward: { lines: 150 },
  RegimeFeeHook: { lines: 150 },
  RealizedVolatilityFeeHook: { lines: 220 },
  VeriRegimeConsumer: { lines: 150 },
  ReferenceMarket: { lines: 150 },
  ReferenceAccounts: { lines: 150 },
};
/** EIP-170. */
const MAX_CODE_BYTES = 24_576;

const root = new URL("..", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const sources = readdirSync(new URL("contracts/src", root), { recursive: true })
  .filter((path) => path.endsWith(".sol") && !path.includes("interfaces"))
  .sort();

/** A file of constants alone has no artifact. */
function artifactOf(name) {
  const path = new URL(`out/${name}.sol/${name}.json`, root);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { deployedBytecode: { object: "0x" } };
}

const sizes = {};
for (const path of sources) {
  const name = path.match(/(\w+)\.sol$/)[1];
  const { deployedBytecode } = artifactOf(name);
  const bytes = (deployedBytecode.object.length - 2) / 2;
  const lines = read(`contracts/src/${path}`).trimEnd().split("\n").length;
  const limit = { bytes: MAX_CODE_BYTES, lines: Infinity, ...LIMITS[name] };
  if (bytes > limit.bytes || lines > limit.lines) {
    console.error(`${name}: ${bytes} bytes and ${lines} lines, may be ${limit.bytes} and ${limit.lines}`);
    process.exitCode = 1;
  }
  sizes[name] = { bytes, lines };
}
writeFileSync(new URL("contracts/snapshots/CodeSize.json", root), JSON.stringify(sizes, null, 2) + "\n");
