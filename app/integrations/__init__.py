"""The outside: HubSpot and QuickBooks behind the ports. SDK objects never leave these packages."""
