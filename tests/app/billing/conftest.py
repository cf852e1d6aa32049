"""Properties draw the same examples wherever and in whatever company they run."""

from __future__ import annotations

from hypothesis.internal.conjecture import providers

# Hypothesis mixes constants of whatever modules are loaded into its examples, so a derandomized property would draw
# others in a whole run than alone, and others again by the order of tests. It has no setting for that.
providers._get_local_constants = lambda: providers._local_constants
