"""QuickBooks behind the Accounting port."""
