"""`sm export`: a workflow as a project that AWS's tools deploy."""
