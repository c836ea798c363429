"""The application that `celery -A sm_cli.celery.app worker` runs, in a project's directory.

Its settings are those of `sm worker`: sm.toml, SM_DATABASE_URL, SM_CELERY_BROKER_URL, SM_HANDLERS, SM_BUCKETS,
SM_TRUST.
"""

from __future__ import annotations

from sm_cli.celery.making import make_project_app

app = make_project_app()
