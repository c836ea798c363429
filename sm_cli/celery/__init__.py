"""Workers of Celery that run a project's handlers: `celery -A sm_cli.celery.app worker`."""
