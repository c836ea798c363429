"""Amazon States Language: text to positions, diagnostics, and the compiled Program.

Nothing here runs a workflow; a problem with a definition is a Diagnostic, never an exception.
"""
