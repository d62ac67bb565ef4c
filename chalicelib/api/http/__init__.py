"""HTTP plumbing of the API: registration, authentication, parsing, paging, idempotency and the OpenAPI document."""
