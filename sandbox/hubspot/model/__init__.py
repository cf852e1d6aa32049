"""The state of the accounts and the rules on it; knows nothing of HTTP."""
