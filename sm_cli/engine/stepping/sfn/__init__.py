"""Step Functions' own API as tasks: its actions, their parameters and answers."""
