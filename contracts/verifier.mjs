// Compiles a verifier that EZKL generated: Solidity on standard input, {"abi", "bytecode", "deployedBytecode"} as JSON on
// standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { VERIFIER, VERIFIER_FILE, verifierInput } from "./verifier-input.mjs";

const STDIN_FILE_DESCRIPTOR = 0;
const solc = createRequire(import.meta.url)("solc");

const input = verifierInput(readFileSync(STDIN_FILE_DESCRIPTOR, "utf8"));
input.settings.outputSelection = { "*": { [VERIFIER]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
const compiled = output.contracts?.[VERIFIER_FILE]?.[VERIFIER];

if (errors.length > 0 || !compiled) {
  console.error(errors.map((entry) => entry.formattedMessage).join("\n") || `no contract ${VERIFIER} in the input`);
  process.exitCode = 1;
} else {
  const { abi, evm } = compiled;
  const hex = (code) => `0x${code.object}`;
  process.stdout.write(
    JSON.stringify({ abi, bytecode: hex(evm.bytecode), deployedBytecode: hex(evm.deployedBytecode) }) + "\n",
  );
}
