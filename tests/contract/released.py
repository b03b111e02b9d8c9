"""The digests (SHA-256) of all migrations that have landed. Lines are added to it, and never altered."""

from __future__ import annotations

from typing import Final

RELEASED: Final = {
    "0001_core.postgres.sql": ("79f5017973da4815968c4f55f6d7513c6621d1c62df29245673e27e54b600cd4"),
    "0001_core.sqlite.sql": ("70815c50c445e4c6df2e2bd965915de82d8ea7decfcf279c5bef659c8d14fad4"),
    "0002_propagation.postgres.sql": (
        "4930f0f24b3a79292dce56053a20141135704379e514a0443c155390b13466c8"
    ),
    "0002_propagation.sqlite.sql": (
        "f8fbee4679e7fa6e506cd3e7a714cc80109b6aa8af68aa9e691ebf068dfc21b0"
    ),
    "0003_replicas.postgres.sql": (
        "b781ebdf80ae1a66607357dd8a553059f6b9dede9c000bd87759e3e0164e7a88"
    ),
    "0003_replicas.sqlite.sql": (
        "44d916eaf517466955b54392d4e4a014fb1a8c9eeaf7e45e920b0f1839670631"
    ),
    "0004_keys.postgres.sql": ("dc43a88c207a2bd125a5a5b4cf95e72a5d74a50d0f547a48eacbc9620bd0f5d8"),
    "0004_keys.sqlite.sql": ("cb0e8c77f524bb133c3f41e98bcb2f5bcf226e4126a53a822996282a9b24b248"),
    "0005_directory.postgres.sql": (
        "b2495e4181c93268d2d9f6c6aed9f1564edda646f483167006f1d5f80ddc003e"
    ),
    "0005_directory.sqlite.sql": (
        "5a17f3ef54b9507cfc286907ebb31acc6371c4e4e9ccdca9ab833e449a1477f0"
    ),
    "0006_changed_assignments.postgres.sql": (
        "aca5e3a79919b96e78cbe2144352498ca85b57d1f37f6155a68b95b362650892"
    ),
    "0006_changed_assignments.sqlite.sql": (
        "84743d52da7633bfe8f6a9e2d5afdeb0a0d644476cc25c8e407f3105a410b0df"
    ),
    "0007_service.postgres.sql": (
        "fb138b1922e4116f3a7c0a1791fc293c4237f95ca0bd756db7bbcd2eee3b34ad"
    ),
    "0007_service.sqlite.sql": ("e736486cfc3a9fdf222ca3dfdbdd4432923e55a98537d2c0c630ee35dc093543"),
    "0008_deletion.postgres.sql": (
        "a08961f4125ed56b93a7ac8739d65f4298d272406d1194e0fe968b00ad641658"
    ),
    "0008_deletion.sqlite.sql": (
        "5f7daaf76c4e04b5f9855e16b1ef7a9d2fb4a8ad09b5400b5550e8f015b267f1"
    ),
    "0009_cheaper_changes.postgres.sql": (
        "8af9b8f1031a5666cb15b35491443830ad90d957c5a030e61733bcfea6127143"
    ),
    "0009_cheaper_changes.sqlite.sql": (
        "f08785e32ab64d08780797f326df6c23801ed952d20adf4ad703e24d7e299396"
    ),
    "0010_claimed_groups.postgres.sql": (
        "1a392d1a507ebe0e020efa6912967fc2688922ba51df81a48bdca74182f98c93"
    ),
    "0010_claimed_groups.sqlite.sql": (
        "14fab275d5a686a9da10f359b2e3fbae04986e061ad44c211a4088a21bdfb516"
    ),
    "versions/v0001_core.py": ("d122e164c30dbcc4e9ab525e346f3f85475ea657458d3ef8dd07da7a3c3e7a76"),
    "versions/v0002_propagation.py": (
        "40fdff7565c1f401b95301e032adfe4f9a48ec9ea803a3503513dfb2988f0808"
    ),
    "versions/v0003_replicas.py": (
        "b3fe75f62d31da62ee2e0c85ddb9effeb0a42cfa60d27cfa84cc7f830d1a8df7"
    ),
    "versions/v0004_keys.py": ("bcebf211f1e91e7eeee185167ae8966c7511d807862d525020a1dd34c57ca26b"),
    "versions/v0005_directory.py": (
        "4bf37375e802c7651faea505b08b1d9dc906f0bbc40fac318f933ae45d92eb60"
    ),
    "versions/v0006_changed_assignments.py": (
        "5f5743fd6ab6a4e95f53d76c437f18b3f4b60359cf16ec36a1bd8c054f354d28"
    ),
    "versions/v0007_service.py": (
        "034f702c0e01ea499ced6727ca238736557cff9b74374806efdc9aa5051db29f"
    ),
    "versions/v0008_deletion.py": (
        "8d97451565b8f449fadaa1ab1edacfd9524ad052c094d55511679cc003a3b5ac"
    ),
    "versions/v0009_cheaper_changes.py": (
        "6fcf56aa156a76475c0dbdd243693a8ff14cc7e328fbf066af66ef32c2b1f085"
    ),
    "versions/v0010_claimed_groups.py": (
        "8bce05a4a09fd431b73f7193f55ee169c920ea6d727f6d6f0c356b65dffaff31"
    ),
}
