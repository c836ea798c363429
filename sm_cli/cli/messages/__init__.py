"""The commands that send messages and show them and who waits."""
