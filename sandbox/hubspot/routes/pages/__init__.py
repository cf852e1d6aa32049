"""The pages where a person plays HubSpot."""
