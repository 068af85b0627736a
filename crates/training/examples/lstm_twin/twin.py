"""The documented LSTM in PyTorch, on the rows of a lesson: one line of JSON on standard output."""

import json
import sys
import time

import torch
from torch import nn

DAYS, UNITS, DROPOUT, TARGETS = 7, (128, 64, 32), 0.2, 2


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
    path, epochs, batch, rate, norm = sys.argv[1], *map(float, sys.argv[2:6])
    epochs, batch = int(epochs), int(batch)
    torch.manual_seed(1)
    no_change, (rows, targets), (later, came) = load(path)
    network = Lstm(rows.shape[1] // DAYS)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    steps = -(-len(rows) // batch)
    total, done, best, seconds = epochs * steps, 0, None, 0.0
    for epoch in range(1, epochs + 1):
        network.train()
        start = time.perf_counter()
        for part in torch.randperm(len(rows)).split(batch):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 - 0.95 * done / total)
            loss = ((network(rows[part]) - targets[part]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), norm)
            optimiser.step()
            done += 1
        seconds += time.perf_counter() - start
        network.eval()
        with torch.no_grad():
            missed = ((network(later) - came) ** 2).mean(dim=0).tolist()
        if best is None or sum(missed) < sum(best["missed"]):
            still = ((came[:, 0] - no_change) ** 2).mean().item()
            best = {"epoch": epoch, "missed": missed, "skill": 1 - missed[0] / still}
    print(json.dumps({"samples_per_second": epochs * len(rows) / seconds, "threads": torch.get_num_threads(), **best}))


main()
