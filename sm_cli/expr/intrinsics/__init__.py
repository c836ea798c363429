"""Intrinsic functions: their parser, their calls, one function each."""
