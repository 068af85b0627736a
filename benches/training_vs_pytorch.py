"""How fast the networks learn here, and the same networks in PyTorch on the same machine in the same run.

    cargo build --release --locked
    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install -r benches/requirements.txt
    /tmp/torch/bin/python benches/training_vs_pytorch.py --agent target/release/veriregime-agent

Both sides learn from batches of the same size with the same layers, loss, optimiser and limit on the gradient, on as
many threads as there are cores. The agent makes every row of an epoch out of candles; PyTorch finds its rows in memory.
The two take turns, and the best turn of each counts.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import torch
from torch import nn

BATCHES = {"original": 5, "teacher": 41}  # of a timed epoch, as in src/cmd/bench/training.rs; the first one warms up
EPOCHS = 3


class OriginalCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(7, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(64, 128, 3, padding=1), nn.BatchNorm1d(128), nn.ReLU(), nn.MaxPool1d(2),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(),
            nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2),
        )

    def forward(self, rows):
        low, high = self.layers(rows.reshape(len(rows), 7, 240)).unbind(1)
        return high - low, torch.zeros_like(low)


class Teacher(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.shapes = [
            (scale["count"] // scale["patch"], scale["patch"] * len(scale["channels"]), scale["units"])
            for scale in settings["scales"]
        ]
        self.filters = nn.ModuleList(nn.Linear(columns, units) for _, columns, units in self.shapes)
        summary = len(settings["summary"]["candle"]) + len(settings["summary"]["calendar"])
        width = sum(patches * units for patches, _, units in self.shapes) + summary
        dense = []
        for units in settings["hidden"]:
            dense += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(settings["dropout"])]
            width = units
        self.dense = nn.Sequential(*dense)
        self.heads = nn.Linear(width, 2)
        self.shortcut = nn.Linear(summary, 2)

    def forward(self, rows):
        parts, start = [], 0
        for filters, (patches, columns, units) in zip(self.filters, self.shapes):
            end = start + patches * columns
            patch = rows[:, start:end].reshape(len(rows) * patches, columns)
            parts.append(filters(patch).relu().reshape(len(rows), patches * units))
            start = end
        summary = rows[:, start:]
        heads = self.heads(self.dense(torch.cat([*parts, summary], 1))) + self.shortcut(summary)
        return heads[:, 0], heads[:, 1]


def torch_samples_per_s(network, name, columns, fit):
    batch = fit["batch"]
    count = BATCHES[name] * batch
    rows = torch.randn(count, columns)
    high = (torch.rand(count) > 0.5).float()
    volatility = torch.randn(count)
    matrices = [weights for weights in network.parameters() if weights.dim() > 1]
    vectors = [weights for weights in network.parameters() if weights.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": fit["step"]["weight_decay"]}, {"params": vectors, "weight_decay": 0.0}],
        lr=fit["step"]["learning_rate"],
    )
    best = 0.0
    for _ in range(EPOCHS):
        order = torch.randperm(count)
        for step, start in enumerate(range(0, count, batch)):
            if step == 1:
                since = time.perf_counter()
            picked = order[start : start + batch]
            margin, forecast = network(rows[picked])
            loss = nn.functional.binary_cross_entropy_with_logits(margin, high[picked])
            if fit["loss"]["volatility_weight"] > 0:
                loss = loss + fit["loss"]["volatility_weight"] * nn.functional.mse_loss(forecast, volatility[picked])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), fit["step"]["gradient_norm"])
            optimiser.step()
            loss.item()
        best = max(best, (count - batch) / (time.perf_counter() - since))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default="target/release/veriregime-agent", help="the built program")
    parser.add_argument("--settings", default="models/train.toml", help="training settings that describe the teacher")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    command = [str(Path(arguments.agent).resolve()), "bench", "--training", "--json", "--settings", arguments.settings]
    ours, theirs = {}, {}
    for _ in range(arguments.rounds):
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures = json.loads(output.splitlines()[-1])
        for name in BATCHES:
            if name not in figures:
                continue
            fit = {
                "batch": figures[name]["batch"],
                "step": {"learning_rate": 1e-3, "weight_decay": 0.0, "gradient_norm": 1e6},
                "loss": {"volatility_weight": 0.0},
            }
            network = OriginalCnn()
            if name == "teacher":
                fit = figures["teacher_settings"]["fit"]
                network = Teacher(figures["teacher_settings"])
            columns = figures[name]["columns"]
            ours[name] = max(ours.get(name, 0.0), figures[name]["samples_per_s"])
            theirs[name] = max(theirs.get(name, 0.0), torch_samples_per_s(network.train(), name, columns, fit))
    result = {
        name: {"agent": round(ours[name]), "pytorch": round(theirs[name]), "ratio": round(ours[name] / theirs[name], 3)}
        for name in ours
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"samples learnt from in a second, {os.cpu_count()} threads, PyTorch {torch.__version__}")
    for name, row in result.items():
        print(f"  {name:10} agent {row['agent']:>9,}   PyTorch {row['pytorch']:>9,}   ratio {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
