"""Connections to HubSpot and QuickBooks, their tokens, and the links between our records and theirs."""
