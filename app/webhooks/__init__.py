"""The door for notifications: verify, store, mark as wanted, answer."""
