"""A fixed piece of work that says how fast this machine is right now, so that figures can be compared as ratios."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

_SUMS = 400


def loop() -> Fraction:
    """Add up unit fractions and format them: the kind of work that billing does, in a fixed amount."""
    total = Fraction(0)
    words: list[str] = []
    for n in range(1, _SUMS):
        total += Fraction(n % 28, 1 + n % 31)
        words.append(f"{total.numerator}/{total.denominator}")
    return total + len("".join(words)) % 7


def per_second(work: Callable[[], object], seconds: float) -> float:
    """Return how often `work` runs in a second, measured over about `seconds`."""
    work()
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        work()
        count += 1
    return count / spent


def processor_s(work: Callable[[], object], seconds: float) -> float:
    """Return the processor seconds that one call of `work` takes, measured over about `seconds` of them."""
    work()
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        work()
        count += 1
    return spent / count
