"""HubSpot behind the Crm port."""
