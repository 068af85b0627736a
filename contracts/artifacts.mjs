// Writes contracts/artifacts/RiskOracle.json, the trimmed build output that the Rust side embeds, from forge's output
// folder. Run after `forge build`. With --check it writes nothing and fails if the committed file is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";

const root = new URL("..", import.meta.url);
const built = JSON.parse(readFileSync(new URL("out/RiskOracle.sol/RiskOracle.json", root), "utf8"));
const committed = new URL("contracts/artifacts/RiskOracle.json", root);

const runtime = Buffer.from(built.deployedBytecode.object.slice(2), "hex");
const artifact = {
  contractName: "RiskOracle",
  compiler: JSON.parse(readFileSync(new URL("package.json", root), "utf8")).devDependencies.solc,
  deployedBytecodeSha256: createHash("sha256").update(runtime).digest("hex"),
  deployedBytecodeBytes: runtime.length,
  abi: built.abi,
  bytecode: built.bytecode.object,
};
const text = JSON.stringify(artifact, null, 1) + "\n";

if (!process.argv.includes("--check")) {
  writeFileSync(committed, text);
} else if (readFileSync(committed, "utf8") !== text) {
  console.error("contracts/artifacts/RiskOracle.json is out of date: run `node contracts/artifacts.mjs` and commit it");
  process.exitCode = 1;
}
