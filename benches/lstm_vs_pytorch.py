"""How fast and how well the documented LSTM of the yield job learns here, and in PyTorch on the same rows in the same run.

    cargo build --release --locked --workspace --examples
    target/release/veriregime-agent yield evaluate --data tables --kind lp --from 2025-08-04 --lstm 1 --lstm-run run
    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install -r benches/requirements.txt
    /tmp/torch/bin/python benches/lstm_vs_pytorch.py --lesson run/lp-lstm_residual/lesson.csv

Both sides have the same layers, loss, optimiser, falling step size, limit on the gradient and batch size, and begin with random weights
of the same spread. The epoch that was best on the validation part counts; samples a second are of the training alone.
"""

import argparse
import json
import subprocess
import time

import torch
from torch import nn

DAYS, UNITS, DROPOUT, TARGETS = 7, (128, 64, 32), 0.2, 2
# As in src/modelling/training/yields/evaluate.rs.
BATCH, RATE, NORM = 128, 1e-3, 1.0


class Lstm(nn.Module):
    def __init__(self, numbers):
        super().__init__()
        first, second, dense = UNITS
        self.first = nn.LSTM(numbers, first, batch_first=True)
        self.second = nn.LSTM(first, second, batch_first=True)
        self.drop = nn.Dropout(DROPOUT)
        self.dense = nn.Linear(second, dense)
        self.heads = nn.Linear(dense, TARGETS)

    def forward(self, rows):
        days = rows.reshape(len(rows), DAYS, -1)
        last = self.drop(self.second(self.drop(self.first(days)[0]))[0][:, -1])
        return self.heads(torch.relu(self.dense(last)))


def load(path):
    lines = open(path, encoding="utf-8").read().splitlines()[1:]
    table = torch.tensor([[float(cell) for cell in line.split(",")] for line in lines])
    validation, no_change, numbers = table[:, 0] == 1, table[0, 1], table[:, 2:]
    return no_change, *[(numbers[part, :-TARGETS], numbers[part, -TARGETS:]) for part in (~validation, validation)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson", required=True, help="lesson.csv of a kept run")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--here", default="target/release/examples/lstm", help="this project's side")
    options = parser.parse_args()
    here = subprocess.run([options.here, options.lesson, str(options.epochs)], check=True, capture_output=True, text=True)
    print("here   ", here.stdout.strip())
    print("PyTorch", json.dumps(twin(options.lesson, options.epochs)))


def twin(path, epochs):
    torch.manual_seed(1)
    no_change, (rows, targets), (later, came) = load(path)
    network = Lstm(rows.shape[1] // DAYS)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    steps = -(-len(rows) // BATCH)
    total, done, best, seconds = epochs * steps, 0, None, 0.0
    for epoch in range(1, epochs + 1):
        network.train()
        start = time.perf_counter()
        for part in torch.randperm(len(rows)).split(BATCH):
            for group in optimiser.param_groups:
                group["lr"] = RATE * (1 - 0.95 * done / total)
            loss = ((network(rows[part]) - targets[part]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), NORM)
            optimiser.step()
            done += 1
        seconds += time.perf_counter() - start
        network.eval()
        with torch.no_grad():
            missed = ((network(later) - came) ** 2).mean(dim=0).tolist()
        if best is None or sum(missed) < sum(best["missed"]):
            still = ((came[:, 0] - no_change) ** 2).mean().item()
            best = {"epoch": epoch, "missed": missed, "skill": 1 - missed[0] / still}
    return {"samples_per_second": epochs * len(rows) / seconds, "threads": torch.get_num_threads(), **best}


main()
