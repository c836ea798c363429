"""AWS's protocol, asked by AWS's own clients."""
