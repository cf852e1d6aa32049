"""Subscriptions: what a won deal made us bill, and what was settled already."""
