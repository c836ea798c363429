"""A Postgres server for tests: the one that SM_TEST_POSTGRES names, or one of our own from a wheel."""
