// Compiles a generated verifier: Solidity on standard input, {"abi", "bytecode", "deployedBytecode"} as JSON on standard output.
//   --contract NAME                   what it is called, by default as EZKL calls it
//   --runs COUNT                      how often its code is expected to run, by default once: as small as it gets
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { RUNS, VERIFIER, VERIFIER_FILE, verifierInput } from "./verifier-input.mjs";

const STDIN_FILE_DESCRIPTOR = 0;
const solc = createRequire(import.meta.url)("solc");

const { values: options } = parseArgs({
  options: { contract: { type: "string", default: VERIFIER }, runs: { type: "string", default: String(RUNS) } },
});
const input = verifierInput(readFileSync(STDIN_FILE_DESCRIPTOR, "utf8"), Number(options.runs));
input.settings.outputSelection = { "*": { [options.contract]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
const compiled = output.contracts?.[VERIFIER_FILE]?.[options.contract];

if (errors.length > 0 || !compiled) {
  console.error(errors.map((entry) => entry.formattedMessage).join("\n") || `no contract ${options.contract} in the input`);
  process.exitCode = 1;
} else {
  const { abi, evm } = compiled;
  const hex = (code) => `0x${code.object}`;
  process.stdout.write(
    JSON.stringify({ abi, bytecode: hex(evm.bytecode), deployedBytecode: hex(evm.deployedBytecode) }) + "\n",
  );
}
