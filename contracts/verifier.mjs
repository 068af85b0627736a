// Compiles a verifier that EZKL generated: Solidity on standard input, {"abi", "bytecode", "deployedBytecode"} as JSON on
// standard output. The settings are those of foundry.toml.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const STDIN_FILE_DESCRIPTOR = 0;
const CONTRACT = "Halo2Verifier";
const solc = createRequire(import.meta.url)("solc");

const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { "Verifier.sol": { content: readFileSync(STDIN_FILE_DESCRIPTOR, "utf8") } },
      settings: {
        evmVersion: "cancun",
        optimizer: { enabled: true, runs: 1 },
        metadata: { appendCBOR: false, bytecodeHash: "none" },
        outputSelection: { "*": { [CONTRACT]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
      },
    }),
  ),
);
const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
const compiled = output.contracts?.["Verifier.sol"]?.[CONTRACT];

if (errors.length > 0 || !compiled) {
  console.error(errors.map((entry) => entry.formattedMessage).join("\n") || `no contract ${CONTRACT} in the input`);
  process.exitCode = 1;
} else {
  const { abi, evm } = compiled;
  const hex = (code) => `0x${code.object}`;
  process.stdout.write(
    JSON.stringify({ abi, bytecode: hex(evm.bytecode), deployedBytecode: hex(evm.deployedBytecode) }) + "\n",
  );
}
