"""Makes contracts/test/vectors/instances.json: public inputs of proofs over 1, 3 and 8 markets.

    python contracts/test/vectors/instances.py

Written from the definition, without a look at either implementation: per market its candle features, then the calendar
features of the period's slot of the week; after all features, per market its three outputs; a negative q stands as r + q.
"""

import json
import random
from pathlib import Path

FIELD_ORDER = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
SLOTS_PER_WEEK, OUTPUTS = 42, 3
# markets, candle features, calendar features, output scale, feature bound, period
SHAPES = [
    (1, 3, 2, 74, 4 << 13, 119_640),  # Monday 2024-08-05 00:00 UTC, slot 24
    (1, 4, 0, 0, 1, 0),
    (3, 5, 3, 16, 2**31 - 1, 119_657),  # the last slot of the week
    (3, 5, 3, 16, 2**31 - 1, 119_658),  # the first one of the next
    (8, 2, 4, 120, 1000, 2**24 - 1),
]


def case(rng, markets, candles, calendar, scale, bound, period):
    edges = [bound, -bound, 0, 1, -1]
    limit = (64 << scale) - 1

    def draw(count, most):
        drawn = [rng.randint(-most, most) for _ in range(count)]
        return [rng.choice(edges) if most == bound and rng.random() < 0.3 else value for value in drawn]

    table = draw(SLOTS_PER_WEEK * calendar, bound)
    features = draw(markets * candles, bound)
    outputs = [rng.choice([limit, -limit, 0, -1]) if i % 4 == 0 else q for i, q in enumerate(draw(markets * OUTPUTS, limit))]
    slot = period % SLOTS_PER_WEEK
    row = table[slot * calendar : (slot + 1) * calendar]
    integers = [q for i in range(markets) for q in features[i * candles : (i + 1) * candles] + row] + outputs
    return {
        "market_count": markets,
        "candle_feature_count": candles,
        "calendar_feature_count": calendar,
        "output_scale": scale,
        "feature_bound": bound,
        "calendar_table": table,
        "period": period,
        "candle_features": features,
        "outputs": [str(q) for q in outputs],
        "instances": [f"0x{q % FIELD_ORDER:064x}" for q in integers],
    }


rng = random.Random(5)
lines = ",\n".join(json.dumps(case(rng, *shape)) for shape in SHAPES)
Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n")
