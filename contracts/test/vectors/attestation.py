"""Makes contracts/test/vectors/attestation.json: what attestors sign, and their signatures.

    python contracts/test/vectors/attestation.py

Written from EIP-712, with foundry's `cast` for Keccak-256, ABI encoding and signatures.
"""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
CAST = ROOT / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
FIELD_ORDER = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
KEY = f"0x{1:064x}"
DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
FIELDS = {
    "modelId": "bytes32",
    "period": "uint64",
    "omittedMarkets": "uint256",
    "instancesHash": "bytes32",
    "attestorSetVersion": "uint32",
}
ATTESTATION = f"Attestation({','.join(f'{kind} {name}' for name, kind in FIELDS.items())})"

# model, period, omitted markets, public inputs, version of the attestor set
CASES = [
    ("11", 122_748, 0, [1, 8192, FIELD_ORDER - 8192], 1),
    ("ab", 2**32, 0, [0, FIELD_ORDER - 1], 2**32 - 1),
    ("5c", 122_749, 0b10, [3, 0, FIELD_ORDER - 7, 12], 2),
    ("f0", 122_750, 2**31, [0] * 3, 3),
]


def cast(*arguments):
    return subprocess.check_output([CAST, *arguments], text=True).strip()


def keccak(data):
    return cast("keccak", data)


def text_hash(text):
    return keccak("0x" + text.encode().hex())


def encode(kinds, *values):
    return cast("abi-encode", f"f({','.join(kinds)})", *map(str, values))


def words(values):
    return "0x" + "".join(f"{value:064x}" for value in values)


def case(model, period, omitted_markets, instances, version):
    chain_id, registry, model_id = 31337, f"0x{0xA11CE:040x}", "0x" + model * 32
    instances_hash = keccak(words(instances))
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        text_hash(DOMAIN),
        text_hash("VeriRegime ModelRegistry"),
        text_hash("1"),
        chain_id,
        registry,
    )
    message = encode(
        ["bytes32", *FIELDS.values()],
        text_hash(ATTESTATION),
        model_id,
        period,
        omitted_markets,
        instances_hash,
        version,
    )
    digest = keccak("0x1901" + keccak(domain)[2:] + keccak(message)[2:])
    signer = cast("wallet", "address", KEY)
    signature = cast("wallet", "sign", "--no-hash", "--private-key", KEY, digest)
    return {
        "chain_id": chain_id,
        "registry": registry,
        "model_id": model_id,
        "period": period,
        "omitted_markets": omitted_markets,
        "instances": [f"0x{element:064x}" for element in instances],
        "attestor_set_version": version,
        "instances_hash": instances_hash,
        "digest": digest,
        "key": KEY,
        "attestation": f"{signer.lower()}0041{signature[2:]}",
    }


cases = [case(*values) for values in CASES]
Path(__file__).with_suffix(".json").write_text(json.dumps(cases, indent=2) + "\n")
