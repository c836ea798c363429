"""Who may ask: tokens and sessions, hosts, origins, sizes of bodies, and the headers that every answer has."""
