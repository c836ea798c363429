"""One state alone, as AWS's TestState runs it."""
