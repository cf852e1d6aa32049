"""Deals as HubSpot has them, and the immutable versions of what was agreed."""
