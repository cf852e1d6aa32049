"""Stand-in of QuickBooks Online: OAuth, the Accounting API, webhooks, and pages to play the bookkeeper."""
