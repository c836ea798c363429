"""JSONata: the expressions of a definition, the engine that evaluates them, AWS's functions."""
