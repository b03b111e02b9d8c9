"""The management API in WorkOS's shape."""

from litestar import Router

router = Router(path="/", route_handlers=[])
