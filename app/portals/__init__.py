"""Portals (tenants), their people and their choices."""
