"""What both stand-ins share: server, ordered faults, call journal, day clock, state store, webhook sender."""
