"""Payments taken in the ledger."""
