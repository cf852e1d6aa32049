"""What waits for a person: in plain words, who can fix it, and what it holds up."""
