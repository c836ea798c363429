"""Workflows as projects for AWS."""
