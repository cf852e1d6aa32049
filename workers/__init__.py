"""Worker processes: RQ workers that drain lanes, and the clock that rings for what is due."""
