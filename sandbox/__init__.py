"""Stand-ins of HubSpot and QuickBooks Online. Nothing in here imports the application."""
