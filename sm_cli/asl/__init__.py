"""Amazon States Language: text to positions, diagnostics, and the compiled Program.

Rule: nothing here runs a workflow; a problem with a definition is a Diagnostic, never an exception.
"""
