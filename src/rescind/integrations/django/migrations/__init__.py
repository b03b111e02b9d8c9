"""Rescind's schema, version by version, for `manage.py migrate`."""
