"""Upgrades with real code of earlier versions: `make upgrade-test`."""
