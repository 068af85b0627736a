// The compiler's input for a verifier that EZKL generated. The settings are those of foundry.toml.
export const VERIFIER_FILE = "Verifier.sol";
export const VERIFIER = "Halo2Verifier";

/** Standard JSON without a selection of outputs. */
export function verifierInput(source) {
  return {
    language: "Solidity",
    sources: { [VERIFIER_FILE]: { content: source } },
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 1 },
      metadata: { appendCBOR: false, bytecodeHash: "none" },
    },
  };
}
