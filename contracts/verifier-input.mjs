// The compiler's input for a generated verifier. The settings are those of foundry.toml, unless more runs are asked for.
export const VERIFIER_FILE = "Verifier.sol";
export const VERIFIER = "Halo2Verifier";

/** How often the code is expected to run: what EZKL generates only fits where it is compiled for size. */
export const RUNS = 1;

/** Standard JSON without a selection of outputs. */
export function verifierInput(source, runs = RUNS) {
  return {
    language: "Solidity",
    sources: { [VERIFIER_FILE]: { content: source } },
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs },
      metadata: { appendCBOR: false, bytecodeHash: "none" },
    },
  };
}
