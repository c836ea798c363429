"""Tests of requests that are repeated."""
