"""Drawings of a workflow: for a terminal, Mermaid, Graphviz."""
