// Writes contracts/artifacts/*.json, the trimmed build output that the Rust side embeds, from forge's output folder. Run
// after `forge build`. With --check it writes nothing and fails if a committed file is out of date.
//
// Where code holds something that is known only on chain, it is zero here: the address of a linked library (20 bytes, at
// the offsets of "creationLinks" and "deployedLinks"; a library's own address counts as one) and immutables (32 bytes, at
// the offsets of "immutables"). "deployedBytecodeSha256" is the digest of that.
import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";

const INTERFACE = "IRegimeRiskOracle";
const CONTRACTS = ["RiskOracle", "MarketAdmin", "ModelAdmin"];
const ADDRESS_BYTES = 20;
// A library's code begins with PUSH20 and its own address, by which it tells a call from a delegatecall.
const LIBRARY_HEAD = "73" + "00".repeat(ADDRESS_BYTES) + "3014";

const root = new URL("..", import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(new URL(path, root), "utf8"));

/** What a verifier of sources asks for. */
function compiler({ compiler, settings: { evmVersion, metadata, optimizer } }) {
  return { version: compiler.version, settings: { evmVersion, metadata, optimizer } };
}

/** Offsets by library, and the code as bytes with zeros there. */
function unlinked({ object, linkReferences }) {
  const links = {};
  for (const libraries of Object.values(linkReferences)) {
    for (const [name, places] of Object.entries(libraries)) links[name] = places.map(({ start }) => start);
  }
  return { links, code: Buffer.from(object.slice(2).replace(/__\$[0-9a-f]{34}\$__/g, "00".repeat(ADDRESS_BYTES)), "hex") };
}

/** An ABI with the interface's entries where they are the same functions: implementations leave some names out. */
function named(abi) {
  const types = (inputs) => inputs.map(({ type, components }) => (components ? type.replace("tuple", `(${types(components)})`) : type));
  const key = ({ type, name, inputs }) => `${type} ${name}(${types(inputs ?? [])})`;
  const names = new Map(readJson(`out/${INTERFACE}.sol/${INTERFACE}.json`).abi.map((entry) => [key(entry), entry]));
  return abi.map((entry) => names.get(key(entry)) ?? entry);
}

function artifact(name) {
  const built = readJson(`out/${name}.sol/${name}.json`);
  const creation = unlinked(built.bytecode);
  const deployed = unlinked(built.deployedBytecode);
  if (deployed.code.toString("hex").startsWith(LIBRARY_HEAD)) deployed.links[name] = [1];
  const immutables = Object.values(built.deployedBytecode.immutableReferences ?? {}).flat();
  return {
    contractName: name,
    compiler: compiler(built.metadata),
    deployedBytecodeSha256: createHash("sha256").update(deployed.code).digest("hex"),
    deployedBytecodeBytes: deployed.code.length,
    creationLinks: creation.links,
    deployedLinks: deployed.links,
    immutables: immutables.map(({ start }) => start).sort((a, b) => a - b),
    abi: named(built.abi),
    creationCode: "0x" + creation.code.toString("hex"),
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
