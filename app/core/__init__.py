"""What every feature stands on: clock, errors, logs, sessions and the tenant wall, work, events, crypto, signatures."""
