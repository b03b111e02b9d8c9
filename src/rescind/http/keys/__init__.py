"""API keys: what one is, its text, and the keys of a database."""

from rescind.http.keys.api_key import ApiKey
from rescind.http.keys.credential import Credential
from rescind.http.keys.key_store import Keys
from rescind.http.keys.key_text import parted

__all__ = ["ApiKey", "Credential", "Keys", "parted"]
