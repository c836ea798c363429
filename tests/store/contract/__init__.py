"""The contract of `sm_cli.store.protocol`, kept on disk and in memory."""
