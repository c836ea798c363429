"""AWS's own protocol at `POST /`: AWS's SDKs and its command line work with `sm` as with Step Functions."""
