"""Expressions of the States Language: paths, payload templates, intrinsic functions, Choice rules.

Rule: everything here is compiled once and is pure; clock and randomness arrive in the Scope.
"""
