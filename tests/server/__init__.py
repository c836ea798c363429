"""Tests of the HTTP server: a real one, on a free port of this machine."""
