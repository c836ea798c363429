"""Tests of who may ask the server."""
