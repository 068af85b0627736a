"""Long-lived EZKL worker.

One JSON request per line of standard input, one JSON response per line of standard output:

    {"id": 7, "call": "peak_rss", "arguments": {}}  ->  {"id": 7, "ok": {"peak_rss_bytes": 41943040}}
                                                    or  {"id": 7, "error": "RuntimeError: what went wrong"}

Field elements travel as 0x-prefixed big-endian hex; inside EZKL's own files they are little-endian. The worker ends
when its standard input does, so it never outlives its parent by more than the request in hand.

usage: worker.py SCRATCH_FOLDER MEMORY_LIMIT_BYTES
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import os
import resource
import shutil
import struct
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, TextIO

MAX_REQUEST_BYTES = 16 << 20
MAX_MESSAGE_CHARACTERS = 2_000
# A port of this machine that refuses at once: what goes through it fails without leaving the machine.
NOWHERE = "http://127.0.0.1:9"
# Size of an axis in a compiled circuit: a letter and its length.
AXIS_BYTES = 9

Arguments = Dict[str, Any]
Result = Dict[str, Any]


def enforce_memory_limit(limit_bytes: int) -> None:
    """Bounds private writable memory. Address space is no measure here: thread arenas reserve far more than they use."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def take_over_stdout() -> TextIO:
    """Keeps the real standard output for responses and sends whatever EZKL prints to standard error."""
    responses = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return responses


async def settled(value: Any) -> Any:
    """Some of EZKL's functions are coroutines, some are not."""
    return await value if inspect.isawaitable(value) else value


def big_endian(felts: List[List[str]]) -> List[str]:
    """Flattens EZKL's tensors of little-endian hex."""
    return ["0x" + bytes.fromhex(felt)[::-1].hex() for tensor in felts for felt in tensor]


def little_endian(felt: str) -> str:
    """EZKL's spelling of a field element."""
    return bytes.fromhex(felt[2:])[::-1].hex()


def order_axes(circuit: Path, settings: Path) -> None:
    """Sorts the axes of each equation in a compiled circuit, a map that EZKL writes in random order.

    An axis is one letter and a 64-bit length. Only bytes that are exactly the axes of `settings` are put in order, so
    the circuit stays the same; the keys are made from the result.
    """
    content = circuit.read_bytes()
    equations = json.loads(settings.read_text(encoding="utf-8"))["einsum_params"]["equations"]
    for equation, lengths in equations:
        axes = sorted(axis.encode() + struct.pack("<Q", length) for axis, length in lengths.items())
        head = struct.pack("<Q", len(equation)) + equation.encode() + struct.pack("<Q", len(axes))
        size = sum(map(len, axes))
        at = content.find(head)
        while at >= 0:
            start = at + len(head)
            found = content[start : start + size]
            if sorted(found[i : i + AXIS_BYTES] for i in range(0, size, AXIS_BYTES)) == axes:
                content = content[:start] + b"".join(axes) + content[start + size :]
            at = content.find(head, start)
    circuit.write_bytes(content)


def sha256_of(path: str) -> str:
    """Digest of a file, in hex. EZKL writes the same witness for the same input, byte for byte."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def milliseconds_since(start: float) -> float:
    """Since a reading of `time.perf_counter`."""
    return (time.perf_counter() - start) * 1e3


class OutOfTables(Exception):
    """A row for which the circuit's lookup tables have no entry: EZKL makes a witness of it, and never ends proving it."""


def refuse_out_of_tables(witness: Dict[str, Any], settings: str) -> None:
    """Compares what a witness looks up with the ends of the circuit's tables."""
    document = json.loads(Path(settings).read_text(encoding="utf-8"))
    low, high = witness["min_lookup_inputs"], witness["max_lookup_inputs"]
    first, last = document["run_args"]["lookup_range"]
    if low < first or high > last:
        raise OutOfTables(f"{low} to {high} are looked up, the circuit's tables go from {first} to {last}")


class Worker:
    """The calls. Each takes the request's arguments and returns the response's `ok` part."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.paths: Dict[str, str] = {}

    def scratch_file(self, name: str) -> str:
        """A path in the worker's private folder."""
        return str(self.scratch / name)

    async def hello(self, _: Arguments) -> Result:
        """Versions."""
        return {"ezkl_version": ezkl.__version__, "python_version": sys.version.split()[0]}

    async def peak_rss(self, _: Arguments) -> Result:
        """Largest resident set so far."""
        if sys.platform == "darwin":
            return {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        # Not from getrusage: on Linux that starts with what the parent had when it forked.
        with open("/proc/self/status", encoding="ascii") as status:
            kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
        return {"peak_rss_bytes": int(kilobytes) * 1024}

    async def load(self, arguments: Arguments) -> Result:
        """Remembers the files of a circuit: `circuit`, `proving_key`, `verifying_key`, `settings`, `srs`."""
        names = ("circuit", "proving_key", "verifying_key", "settings", "srs")
        paths = {name: arguments[name] for name in names}
        for path in paths.values():
            with open(path, "rb"):
                pass
        self.paths = paths
        return {}

    async def witness(self, arguments: Arguments) -> Result:
        """Runs the circuit on every row of `rows` without proving: public inputs of each, and digests of the witnesses."""
        circuit, scrap = self.paths["circuit"], self.scratch_file("rows.json")
        instances, digests = [], []
        for row in arguments["rows"]:
            data = json.dumps({"input_data": [row]})
            witness = await settled(ezkl.gen_witness(data, circuit, scrap))
            instances.append(big_endian(witness["inputs"] + witness["outputs"]))
            digests.append(sha256_of(scrap))
        return {"instances": instances, "witness_sha256": digests}

    async def prove(self, arguments: Arguments) -> Result:
        """Proves one `row` and verifies the proof before handing it out."""
        paths, witness, proof = self.paths, self.scratch_file("witness.json"), self.scratch_file("proof.json")
        data = json.dumps({"input_data": [arguments["row"]]})
        start = time.perf_counter()
        found = await settled(ezkl.gen_witness(data, paths["circuit"], witness))
        refuse_out_of_tables(found, paths["settings"])
        witness_ms, start = milliseconds_since(start), time.perf_counter()
        made = await settled(ezkl.prove(witness, paths["circuit"], paths["proving_key"], proof, paths["srs"]))
        prove_ms, start = milliseconds_since(start), time.perf_counter()
        verified = await self.verify_file(proof)
        return {
            "proof": made["proof"],
            "instances": big_endian(made["instances"]),
            "verified": verified,
            "witness_sha256": sha256_of(witness),
            "witness_ms": witness_ms,
            "prove_ms": prove_ms,
            "verify_ms": milliseconds_since(start),
        }

    async def verify(self, arguments: Arguments) -> Result:
        """Whether `proof` holds for `instances`."""
        proof = self.scratch_file("candidate.json")
        document = {
            "instances": [[little_endian(felt) for felt in arguments["instances"]]],
            "proof": list(bytes.fromhex(arguments["proof"][2:])),
        }
        Path(proof).write_text(json.dumps(document), encoding="utf-8")
        return {"valid": await self.verify_file(proof)}

    async def verify_file(self, proof: str) -> bool:
        """EZKL raises where a proof does not hold; what it raises from halo2 itself is a "no", all else an error."""
        try:
            paths = self.paths
            return bool(await settled(ezkl.verify(proof, paths["settings"], paths["verifying_key"], paths["srs"])))
        except RuntimeError as error:
            if "[halo2]" in str(error):
                return False
            raise

    async def settings(self, arguments: Arguments) -> Result:
        """Writes the settings of `onnx` under `run_args` to `settings`, calibrated on `calibration_data` if given."""
        run_args = ezkl.PyRunArgs()
        for name, value in arguments["run_args"].items():
            setattr(run_args, name, tuple(value) if isinstance(value, list) else value)
        onnx, settings = arguments["onnx"], arguments["settings"]
        await settled(ezkl.gen_settings(onnx, settings, run_args))
        if arguments.get("calibration_data"):
            await settled(ezkl.calibrate_settings(arguments["calibration_data"], onnx, settings, "resources"))
        document = json.loads(Path(settings).read_text(encoding="utf-8"))
        # The time of making and the order of maps would be all that tells two builds of one circuit apart.
        document["timestamp"] = 0
        document["einsum_params"]["equations"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
        Path(settings).write_text(json.dumps(document, separators=(",", ":"), sort_keys=True), encoding="utf-8")
        return document

    async def setup(self, arguments: Arguments) -> Result:
        """Compiles the circuit of `onnx` and `settings`, makes its keys from `srs` and its Solidity `verifier`."""
        settings, srs = arguments["settings"], arguments["srs"]
        verifying_key, verifier = arguments["verifying_key"], Path(arguments["verifier"])
        await settled(ezkl.compile_circuit(arguments["onnx"], arguments["circuit"], settings))
        order_axes(Path(arguments["circuit"]), Path(settings))
        await settled(ezkl.setup(arguments["circuit"], verifying_key, arguments["proving_key"], srs))
        verifier.unlink(missing_ok=True)
        abi = self.scratch_file("verifier.abi")
        proxy = os.environ.get("HTTPS_PROXY")
        os.environ["HTTPS_PROXY"] = NOWHERE
        try:
            await settled(ezkl.create_evm_verifier(verifying_key, settings, str(verifier), abi, srs))
        except RuntimeError:
            # EZKL writes the contract first and then looks on the network for a compiler that only its ABI file needs.
            if not verifier.is_file() or not verifier.read_text(encoding="utf-8").rstrip().endswith("}"):
                raise
        finally:
            if proxy is None:
                del os.environ["HTTPS_PROXY"]
            else:
                os.environ["HTTPS_PROXY"] = proxy
        return {}

    async def generate_srs(self, arguments: Arguments) -> Result:
        """Makes an SRS whose secret this process knew: development only."""
        await settled(ezkl.gen_srs(arguments["path"], arguments["logrows"]))
        return {}

    async def download_srs(self, arguments: Arguments) -> Result:
        """Fetches the public ceremony's SRS. `path` must be new: EZKL deletes what does not match."""
        await settled(ezkl.get_srs(logrows=arguments["logrows"], srs_path=arguments["path"]))
        return {}


CALLS: Dict[str, Callable[[Worker, Arguments], Any]] = {
    name: getattr(Worker, name)
    for name in "hello peak_rss load witness prove verify settings setup generate_srs download_srs".split()
}


async def answer(worker: Worker, line: bytes) -> Result:
    """The response to one request line."""
    identifier = None
    try:
        request = json.loads(line)
        identifier = request["id"]
        return {"id": identifier, "ok": await CALLS[request["call"]](worker, request["arguments"])}
    except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        raise
    # A panic inside EZKL arrives as a bare BaseException.
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return {"id": identifier, "error": f"{type(error).__name__}: {error}"[:MAX_MESSAGE_CHARACTERS]}


async def serve(worker: Worker, responses: TextIO) -> None:
    """Answers line by line until standard input ends or a line is too long to be a request."""
    while True:
        line = sys.stdin.buffer.readline(MAX_REQUEST_BYTES)
        if not line.endswith(b"\n"):
            return
        response = await answer(worker, line)
        responses.write(json.dumps(response, separators=(",", ":")) + "\n")
        responses.flush()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    enforce_memory_limit(int(sys.argv[2]))
    channel = take_over_stdout()
    import ezkl  # after the limit, which its threads inherit, and after standard output is safe from its prints

    try:
        asyncio.run(serve(Worker(folder), channel))
    except BrokenPipeError:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # EZKL's threads may hold up an orderly exit of the interpreter.
        os._exit(0)
