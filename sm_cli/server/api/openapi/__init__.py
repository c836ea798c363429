"""The OpenAPI document: what each request is answered with; tests hold every answer against it."""
