"""Times a model's features on a whole candle file, in the agent and in pandas, and compares the integers.

    python3 -m venv /tmp/bench && /tmp/bench/bin/pip install -r benches/requirements.txt
    /tmp/bench/bin/python benches/features_vs_pandas.py --candles BTCUSDT-1m.parquet

Both sides are given candles in memory without gaps and are timed from there to the matrix of integers; the best of
several runs counts. pandas works on one core, the agent on all. The agent is the release binary (`make build`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
MINUTE_MS = 60_000
DAY, WEEK = 1440, 10_080


class Columns:
    """The features of every minute by their names in a manifest. Row `i` is what is known when candle `i` has closed.

    Each method is written as pandas offers it: rolling windows, shifts, exponential means.
    """

    def __init__(self, candles, weekly_profile):
        self.candles = candles
        self.open, self.high, self.low = candles.open, candles.high, candles.low
        self.close, self.volume = candles.close, candles.volume
        self.minute = (candles.timestamp.to_numpy() + MINUTE_MS) // MINUTE_MS
        self.profile = np.asarray(weekly_profile, dtype=float) * 1e-6
        self.returns = self.close.pct_change()

    # Parts

    def squares(self):
        return self.returns**2

    def magnitudes(self):
        return self.returns.abs()

    def typical(self):
        return (self.high + self.low + self.close) / 3

    def true_range(self):
        before = self.close.shift(1)
        return (np.maximum(self.high, before) - np.minimum(self.low, before)) / before

    @staticmethod
    def mean(series, minutes):
        return series.rolling(minutes).mean()

    @staticmethod
    def root(mean_square):
        return 0.5 * np.log(mean_square + 1e-14)

    @staticmethod
    def log(magnitude):
        return np.log(magnitude + 1e-7)

    def same_window(self, series, count, every, minutes):
        window = self.mean(series, minutes)
        return sum(window.shift(one * every - minutes) for one in range(1, count + 1)) / count

    # Volatility

    def log_rms_return(self, minutes):
        return self.root(self.mean(self.squares(), minutes))

    def log_rms_return_from(self, minutes_ago, minutes):
        return self.root(self.mean(self.squares(), minutes).shift(minutes_ago - minutes))

    def log_rms_return_same_window(self, days, minutes):
        return self.root(self.same_window(self.squares(), days, DAY, minutes))

    def log_rms_return_same_weekday(self, weeks, minutes):
        return self.root(self.same_window(self.squares(), weeks, WEEK, minutes))

    def log_rms_ratio(self, minutes, relative_to_minutes):
        before = self.log_rms_return(relative_to_minutes).shift(minutes)
        return self.log_rms_return(minutes) - before

    def log_mean_absolute_return(self, minutes):
        return self.log(self.mean(self.magnitudes(), minutes))

    def log_mean_absolute_return_from(self, minutes_ago, minutes):
        return self.log(self.mean(self.magnitudes(), minutes).shift(minutes_ago - minutes))

    def log_mean_absolute_return_same_window(self, days, minutes):
        return self.log(self.same_window(self.magnitudes(), days, DAY, minutes))

    def log_median_absolute_return(self, minutes):
        return self.log(self.magnitudes().rolling(minutes).median())

    def log_maximum_absolute_return(self, minutes):
        return self.log(self.magnitudes().rolling(minutes).max())

    def log_downside_rms(self, minutes):
        return self.root(self.mean(self.returns.clip(upper=0) ** 2, minutes))

    def log_upside_rms(self, minutes):
        return self.root(self.mean(self.returns.clip(lower=0) ** 2, minutes))

    def semivariance_asymmetry(self, minutes):
        up = self.mean(self.returns.clip(lower=0) ** 2, minutes)
        down = self.mean(self.returns.clip(upper=0) ** 2, minutes)
        return ((up - down) / (up + down)).fillna(0)

    def bipower(self, minutes):
        magnitudes = self.magnitudes()
        return np.pi / 2 * self.mean(magnitudes * magnitudes.shift(1), minutes - 1)

    def log_bipower(self, minutes):
        return self.root(self.bipower(minutes))

    def jump_ratio(self, minutes):
        return 1 - self.bipower(minutes) / self.mean(self.squares(), minutes)

    def log_median_variation(self, minutes):
        median = self.magnitudes().rolling(3).median()
        unbiased = np.pi / (6 - 4 * np.sqrt(3) + np.pi)
        return self.root(unbiased * self.mean(median**2, minutes - 2))

    def log_quarticity(self, minutes):
        return 0.25 * np.log(self.mean(self.returns**4, minutes) / 3 + 1e-28)

    def volatility_of_volatility(self, minutes, block_minutes):
        block = self.log_rms_return(block_minutes)
        blocks = pd.concat([block.shift(ago) for ago in range(0, minutes, block_minutes)], axis=1)
        return blocks.std(axis=1, ddof=0)

    def mean_log_rms(self, minutes, block_minutes):
        block = self.log_rms_return(block_minutes)
        return sum(block.shift(ago) for ago in range(0, minutes, block_minutes)) * block_minutes / minutes

    def log_fading_absolute_return(self, half_life_minutes, block_minutes):
        block = self.mean(self.magnitudes(), block_minutes)
        weights = {ago: 0.5 ** (ago / half_life_minutes) for ago in range(0, 6 * half_life_minutes, block_minutes)}
        return self.log(sum(weight * block.shift(ago) for ago, weight in weights.items()) / sum(weights.values()))

    def mean_of_days(self, values, days, count, ahead_minutes, minutes):
        """Mean of a window's values over the last `count` of the `days`."""
        behind = ahead_minutes + minutes
        if days != "same_kind":
            every = DAY if days == "every" else WEEK
            return sum(values.shift(one * every - behind) for one in range(1, count + 1)) / count
        day = (self.minute + ahead_minutes) // DAY
        weekend = lambda back: (day - back + 3) % 7 >= 5
        total, found = np.zeros(len(values)), np.zeros(len(values))
        for back in range(1, (count + 1) // 2 * 7 + 1):
            taken = (weekend(back) == weekend(0)) & (found < count)
            total += np.where(taken, values.shift(back * DAY - behind), 0.0)
            found += taken
        return pd.Series(total / count)

    def mean_log_rms_of_days(self, days, count, ahead_minutes, minutes):
        return self.mean_of_days(self.log_rms_return(minutes), days, count, ahead_minutes, minutes)

    def log_mean_absolute_return_of_days(self, days, count, ahead_minutes, minutes):
        return self.log(self.mean_of_days(self.mean(self.magnitudes(), minutes), days, count, ahead_minutes, minutes))

    def zero_return_share(self, minutes):
        return self.mean((self.returns == 0).astype(float), minutes)

    def log_parkinson(self, minutes):
        return self.root(self.mean(np.log(self.high / self.low) ** 2, minutes) / (4 * np.log(2)))

    def log_garman_klass(self, minutes):
        ranges, bodies = np.log(self.high / self.low) ** 2, np.log(self.close / self.open) ** 2
        return self.root(self.mean(0.5 * ranges - (2 * np.log(2) - 1) * bodies, minutes))

    def log_rogers_satchell(self, minutes):
        up, down = np.log(self.high / self.open), np.log(self.low / self.open)
        drift = np.log(self.close / self.open)
        return self.root(self.mean(up * (up - drift) + down * (down - drift), minutes))

    def log_true_range(self, minutes):
        return self.log(self.mean(self.true_range(), minutes))

    # Volume and price

    def log_relative_volume(self, minutes, relative_to_minutes):
        part, whole = self.mean(self.volume, minutes), self.mean(self.volume, relative_to_minutes)
        return np.log((part + 1e-3) / (whole + 1e-3))

    def vwap_distance(self, minutes):
        value = (self.typical() * self.volume).rolling(minutes).sum()
        return np.log(self.close * self.volume.rolling(minutes).sum() / value)

    def on_balance_volume(self, minutes):
        signed = np.sign(self.close.diff()) * self.volume
        return signed.rolling(minutes).sum() / self.volume.rolling(minutes).sum()

    def log_return(self, minutes):
        return np.log(self.close / self.close.shift(minutes))

    def rate_of_change(self, minutes):
        return self.close.pct_change(minutes)

    def momentum(self, minutes):
        return self.close.pct_change(minutes) / self.mean(self.true_range(), minutes)

    def efficiency_ratio(self, minutes):
        return self.returns.rolling(minutes).sum().abs() / self.magnitudes().rolling(minutes).sum()

    # Shape

    def share(self, part, minutes):
        return self.mean((part / (self.high - self.low)).fillna(0), minutes)

    def body_share(self, minutes):
        return self.share((self.close - self.open).abs(), minutes)

    def upper_shadow_share(self, minutes):
        return self.share(self.high - np.maximum(self.open, self.close), minutes)

    def lower_shadow_share(self, minutes):
        return self.share(np.minimum(self.open, self.close) - self.low, minutes)

    # Indicators

    @staticmethod
    def ema(series, span):
        return series.ewm(span=span, adjust=False).mean()

    def ema_distance(self, span_minutes):
        return np.log(self.close / self.ema(self.close, span_minutes))

    def macd_histogram(self, fast_minutes, slow_minutes, signal_minutes):
        line = self.ema(self.close, fast_minutes) - self.ema(self.close, slow_minutes)
        return (line - self.ema(line, signal_minutes)) / self.close

    def relative_strength(self, minutes):
        change = self.close.diff()
        gains, losses = self.mean(change.clip(lower=0), minutes), self.mean((-change).clip(lower=0), minutes)
        return (gains / (gains + losses)).fillna(0.5)

    def bollinger_position(self, minutes):
        window = self.close.rolling(minutes)
        return (self.close - window.mean()) / window.std(ddof=0)

    def log_bollinger_width(self, minutes):
        window = self.close.rolling(minutes)
        return self.log(4 * window.std(ddof=0) / window.mean())

    def stochastic(self, minutes):
        lowest, highest = self.low.rolling(minutes).min(), self.high.rolling(minutes).max()
        return ((self.close - lowest) / (highest - lowest)).fillna(0.5)

    def williams_r(self, minutes):
        return self.stochastic(minutes) - 1

    def commodity_channel(self, minutes):
        window = self.typical().rolling(minutes)
        spread = window.apply(lambda values: np.abs(values - values.mean()).mean(), raw=True)
        return (self.typical() - window.mean()) / (0.015 * spread)

    # Calendar

    def day_sine(self, harmonic):
        return np.sin(self.minute % DAY / DAY * 2 * np.pi * harmonic)

    def day_cosine(self, harmonic):
        return np.cos(self.minute % DAY / DAY * 2 * np.pi * harmonic)

    def weekday(self, days):
        return np.isin((self.minute // DAY + 3) % 7, days).astype(float)

    def weekly_profile(self, minutes_before):
        since_middle = (self.minute - minutes_before - 30) % WEEK
        hour, part = since_middle // 60, since_middle % 60 / 60
        return self.profile[hour] * (1 - part) + self.profile[(hour + 1) % 168] * part


def read_candles(path):
    """Candles of consecutive minutes: absent ones are flat at the close before and without volume."""
    candles = pd.read_parquet(path).set_index("timestamp")
    whole = candles.reindex(pd.RangeIndex(candles.index[0], candles.index[-1] + 1, MINUTE_MS, name="timestamp"))
    whole["close"] = whole.close.ffill()
    for price in ["open", "high", "low"]:
        whole[price] = whole[price].fillna(whole.close)
    whole["volume"] = whole.volume.fillna(0.0)
    return whole.reset_index()


def integers(spec, candles):
    """The matrix of a spec's integers, a row a candle; rows without enough past hold no meaning."""
    columns = Columns(candles, spec.get("weekly_profile", []))
    scaled = spec["candle"] + spec["calendar"]
    matrix = np.empty((len(candles), len(scaled)), dtype=np.int32)
    for index, one in enumerate(scaled):
        parameters = dict(one["feature"])
        value = np.asarray(getattr(columns, parameters.pop("name"))(**parameters))
        z = np.clip((value - one["mean"]) / one["standard_deviation"], -spec["clip"], spec["clip"])
        grid = np.nan_to_num(z) * 2.0 ** spec["input_scale"]
        # Half away from zero, as the agent rounds.
        matrix[:, index] = np.copysign(np.floor(np.abs(grid) + 0.5), grid)
    return matrix


def shipped_model():
    manifests = sorted(ROOT.glob("models/*/manifest.json"))
    if not manifests:
        sys.exit("there is no model under models/; name one with --model")
    return manifests[-1].parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candles", required=True, type=Path)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--agent", type=Path, default=ROOT / "target/release/veriregime-agent")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    spec = json.loads((arguments.model / "manifest.json").read_text())["features"]

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "features.csv"
        command = [arguments.agent, "--json", "candles", "features", "--model", arguments.model]
        command += ["--candles", arguments.candles]
        answers = [
            json.loads(subprocess.run(command + extra, check=True, capture_output=True).stdout)
            for extra in [["--out", out]] + [[]] * (arguments.runs - 1)
        ]
        agent = pd.read_csv(out, dtype=np.int64)

    candles = read_candles(arguments.candles)
    seconds = []
    for _ in range(arguments.runs):
        started = time.perf_counter()
        matrix = integers(spec, candles)
        seconds.append(time.perf_counter() - started)

    agent_rate = max(answer["features_rows_per_second"] for answer in answers)
    pandas_rate = len(candles) / min(seconds)
    first_decision = candles.timestamp.iloc[0] + MINUTE_MS
    rows = ((agent.time_ms - first_decision) // MINUTE_MS).to_numpy()
    distance = np.abs(agent.iloc[:, 1:].to_numpy() - matrix[rows])
    figures = {
        "model": arguments.model.name,
        "candles": len(candles),
        "rows_compared": len(rows),
        "features": matrix.shape[1],
        "agent_rows_per_second": round(agent_rate),
        "pandas_rows_per_second": round(pandas_rate),
        "ratio": round(agent_rate / pandas_rate, 2),
        "largest_distance": int(distance.max()),
        "largest_distance_in_standard_deviations": float(distance.max() / 2.0 ** spec["input_scale"]),
        "share_of_equal_integers": float((distance == 0).mean()),
        "largest_distance_by_feature": dict(zip(agent.columns[1:], distance.max(axis=0).tolist())),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
