"""The version, a constant: `sm --version` must not pay for reading package metadata."""

__version__ = "0.1.0"
