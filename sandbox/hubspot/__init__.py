"""A stand-in of HubSpot: OAuth, CRM, webhooks, card calls, and pages where a person plays the sales team."""
