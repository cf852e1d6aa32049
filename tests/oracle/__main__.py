"""`python -m tests.oracle --count 10000`: compare the engine with the oracle on random documents."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import get_context

from tests.oracle.compare import Difference, compare_seed
from tests.oracle.documents import CORNERS, CORNERS_OF_LIVES, FEATURES, SETS, features_of
from tests.oracle.sequences import compare_sequence


def judge(seed: int, features: frozenset[str], mode: str) -> Difference | None:
    """Compare one document in the given mode."""
    if mode == "documents":
        return compare_seed(seed, features)
    return compare_sequence(seed, features, generous=mode == "generous")


def main() -> int:
    """Run the comparison; 1 when there is a difference."""
    parser = argparse.ArgumentParser(description="Compare the engine with the day-by-day biller.")
    parser.add_argument("--count", type=int, default=1000, help="how many documents")
    parser.add_argument("--seed", type=int, default=0, help="number of the first one")
    parser.add_argument(
        "--only", default="", help="features or sets, comma separated: " + ", ".join((*SETS, *FEATURES))
    )
    parser.add_argument("--without", default="", help="features to leave out")
    parser.add_argument("--mode", choices=("documents", "runs", "generous"), default="documents")
    parser.add_argument("--level", default="", help="show only differences of this level")
    parser.add_argument("--show", type=int, default=3, help="differences to print in full")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    features = features_of(name for name in asked.only.split(",") if name)
    features -= {name for name in asked.without.split(",") if name}
    began = time.monotonic()
    work = partial(judge, features=features, mode=asked.mode)
    every = range(asked.seed, asked.seed + asked.count)
    corners = CORNERS if asked.mode == "documents" else CORNERS_OF_LIVES
    seeds = [seed for seed in every if seed not in corners or asked.only or asked.without]
    levels: Counter[str] = Counter()
    used: Counter[str] = Counter()
    shown = 0
    with get_context("fork").Pool(asked.jobs) as pool:
        for difference in pool.imap(work, seeds, chunksize=8):
            levels[difference.level if difference else "agree"] += 1
            if difference is None:
                continue
            used.update(traits(difference))
            if difference.level != "unsupported" and asked.level in ("", difference.level) and shown < asked.show:
                shown += 1
                print(difference.text(), flush=True)
    print(f"{len(seeds)} documents in {time.monotonic() - began:.0f} s:", dict(levels))
    print("features of the documents that differ:", dict(used.most_common()))
    if len(seeds) < asked.count:
        print(f"left out: {sorted(set(every) - set(seeds))}, see CORNERS")
    return 0 if levels["agree"] == len(seeds) else 1


def traits(difference: Difference) -> set[str]:
    """Return words for what a differing document uses."""
    body = difference.document
    found = {f"change {key}" for change in body.get("changes", ()) for key in change}
    found -= {"change id", "change effective"}
    for part in [body, *body["items"]]:
        found |= {f"billing {key}" for key in part.get("billing", {})}
        found |= {key for key in ("discounts", "steps", "price", "trial_until", "bill_to", "renewal") if key in part}
    return found | {body["currency"]} | ({"open end"} if body["term_months"] is None else set())


if __name__ == "__main__":
    sys.exit(main())
