"""Received events, kept as evidence."""
