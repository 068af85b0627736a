// Writes contracts/artifacts/*.json, the trimmed build output that the Rust side embeds, from forge's output folder. Run
// after `forge build`. With --check it writes nothing and fails if a committed file is out of date.
//
// Where code holds immutables, which are known only on chain, it is zero here: 32 bytes at the offsets of "immutables".
// "deployedBytecodeSha256" is the digest of that.
import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";

const INTERFACES = ["IModelRegistry", "IRegimeRiskOracle"];
const CONTRACTS = ["ModelRegistry", "RiskOracle", "HedgeVault", "Feed"];

const root = new URL("..", import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(new URL(path, root), "utf8"));

/** What a verifier of sources asks for. */
function compiler({ compiler, settings: { evmVersion, metadata, optimizer } }) {
  return { version: compiler.version, settings: { evmVersion, metadata, optimizer } };
}

function bytes({ object }) {
  return Buffer.from(object.slice(2), "hex");
}

/** An ABI with the interfaces' entries where they are the same functions: implementations leave some names out. */
function named(abi) {
  const types = (inputs) => inputs.map(({ type, components }) => (components ? type.replace("tuple", `(${types(components)})`) : type));
  const key = ({ type, name, inputs }) => `${type} ${name}(${types(inputs ?? [])})`;
  const known = INTERFACES.flatMap((name) => readJson(`out/${name}.sol/${name}.json`).abi);
  const names = new Map(known.map((entry) => [key(entry), entry]));
  return abi.map((entry) => names.get(key(entry)) ?? entry);
}

function artifact(name) {
  const built = readJson(`out/${name}.sol/${name}.json`);
  const deployed = bytes(built.deployedBytecode);
  const immutables = Object.values(built.deployedBytecode.immutableReferences ?? {}).flat();
  return {
    contractName: name,
    compiler: compiler(built.metadata),
    deployedBytecodeSha256: createHash("sha256").update(deployed).digest("hex"),
    deployedBytecodeBytes: deployed.length,
    immutables: immutables.map(({ start }) => start).sort((a, b) => a - b),
    abi: named(built.abi),
    creationCode: "0x" + bytes(built.bytecode).toString("hex"),
  };
}

for (const name of CONTRACTS) {
  const committed = new URL(`contracts/artifacts/${name}.json`, root);
  const text = JSON.stringify(artifact(name), null, 1) + "\n";
  if (!process.argv.includes("--check")) {
    writeFileSync(committed, text);
  } else if (readFileSync(committed, "utf8") !== text) {
    console.error(`contracts/artifacts/${name}.json is out of date: run \`node contracts/artifacts.mjs\` and commit it`);
    process.exitCode = 1;
  }
}
