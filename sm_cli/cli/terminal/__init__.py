"""What all commands share: options, tables, the live picture, failures, logs."""
