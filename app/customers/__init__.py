"""Customers: HubSpot companies that we bill."""
