"""The OpenID AuthZEN Authorization API 1.0."""
