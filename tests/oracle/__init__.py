"""A second, slow, day-by-day biller of deal documents.

It is written from the page of conventions and decision 0010 alone, to be compared with the engine
(`python -m tests.oracle --help`). Obviousness before speed: whatever is due is worked out for each item and each day.
"""
