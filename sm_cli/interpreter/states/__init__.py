"""One short file for each state type: what it does with each event that can reach it."""
