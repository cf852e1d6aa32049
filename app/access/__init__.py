"""Sign-in links, console sessions and OAuth states."""
