"""JSONPath as AWS reads it: parser, cursor, filters, functions."""
