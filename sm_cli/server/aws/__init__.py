"""AWS's own protocol at `POST /`: X-Amz-Target, JSON 1.0, and errors as AWS names them."""
