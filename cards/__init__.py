"""The door for HubSpot's cards: signed requests in, one small JSON out."""
