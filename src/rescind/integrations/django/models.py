"""No models: Rescind's tables are made by its own migrations, which `manage.py migrate` runs."""
