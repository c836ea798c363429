"""Expressions of the States Language: paths, payload templates, intrinsic functions, Choice rules.

Everything here is compiled once and is pure; clock and randomness arrive in the Scope.
"""
