"""Where a customer or a deal stands: the one answer that cards and console show."""
