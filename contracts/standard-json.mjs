// Writes the compiler's input for each deployed contract, as Sourcify and Etherscan take it, to out/standard-json. Run after
// `forge build`.
//   --bundle models/<id>              the bundle whose verifier was deployed
//   --check                           compiles what was written and fails unless it is the code that is deployed
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { VERIFIER, VERIFIER_FILE, verifierInput } from "./verifier-input.mjs";

const CONTRACTS = ["ModelRegistry", "RiskOracle", "HedgeVault", "Feed"];

const root = new URL("..", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const { values: options } = parseArgs({
  options: { bundle: { type: "string" }, check: { type: "boolean" } },
});

/** The input with the sources that forge compiled the contract from. */
function contractInput(name) {
  const { metadata } = JSON.parse(read(`out/${name}.sol/${name}.json`));
  const { remappings, optimizer, metadata: appended, evmVersion, compilationTarget } = metadata.settings;
  const [[file]] = Object.entries(compilationTarget);
  const paths = Object.keys(metadata.sources);
  const used = (remapping) => paths.some((path) => path.startsWith(remapping.split("=")[1]));
  const settings = { remappings: remappings.filter(used), optimizer, metadata: appended, evmVersion };
  const sources = Object.fromEntries(paths.map((path) => [path, { content: read(path) }]));
  return { file, input: { language: "Solidity", sources, settings }, deployed: deployedCode(name) };
}

/** The committed creation code. */
function deployedCode(name) {
  return JSON.parse(read(`contracts/artifacts/${name}.json`)).creationCode.slice(2);
}

function compiled(name, file, input) {
  const solc = createRequire(import.meta.url)("solc");
  const settings = { ...input.settings, outputSelection: { [file]: { [name]: ["evm.bytecode.object"] } } };
  const output = JSON.parse(solc.compile(JSON.stringify({ ...input, settings })));
  const code = output.contracts?.[file]?.[name]?.evm.bytecode.object;
  if (!code) throw new Error(JSON.stringify(output.errors));
  return code;
}

const wanted = new Map(CONTRACTS.map((name) => [name, contractInput(name)]));
if (options.bundle) {
  const deployed = read(`${options.bundle}/verifier.bytecode`).trim().slice(2);
  wanted.set(VERIFIER, { file: VERIFIER_FILE, input: verifierInput(read(`${options.bundle}/${VERIFIER_FILE}`)), deployed });
}
const folder = new URL("out/standard-json/", root);
mkdirSync(folder, { recursive: true });
for (const [name, { file, input, deployed }] of wanted) {
  const path = new URL(`${name}.json`, folder);
  writeFileSync(path, JSON.stringify(input, null, 1) + "\n");
  console.log(`out/standard-json/${name}.json: ${file}:${name}`);
  if (options.check && compiled(name, file, JSON.parse(readFileSync(path, "utf8"))) !== deployed) {
    console.error(`${name}: its sources do not compile to the code that is deployed`);
    process.exitCode = 1;
  }
}
