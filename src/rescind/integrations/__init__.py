"""Rescind in web frameworks, Django and SQLAlchemy. Each module needs its library; import it by name."""
