"""`rescind audit --history` and the worker's part in the background audit."""

from __future__ import annotations

import json
import logging
import threading

import pytest

from rescind import Authority
from rescind.propagation import background_audit
from rescind.propagation.background_audit import BackgroundAudit
from rescind.settings import Settings
from tests.contract.test_audit import by_hand, of
from tests.unit.command_line import CommandLine, one_error

DATABASE = "./rescind.db"
LACK = f"DELETE FROM rescind.effective_role WHERE membership = {of('user:ada')}"


def audited() -> None:
    """A round, to its end."""
    settings = Settings(audit_rows_per_second=10**9, audit_pause_seconds=0)
    with Authority.open(DATABASE) as authority:
        audit = BackgroundAudit(authority.store, settings)
        while audit.step() != background_audit.LOOK_SECONDS:
            pass


def test_history(acme: CommandLine) -> None:
    """Without a round there is no data; with one there are its figures, and what it found."""
    assert "no data" in acme("audit", "--history")[1]
    audited()
    assert acme("audit", "--history")[:2] == (0, "no drift was found\n")
    with Authority.open(DATABASE) as authority:
        by_hand(authority, LACK)
    audited()
    code, out, _ = acme("audit", "--history")
    assert code == 1
    assert "user:ada lacks" in out
    code, out, _ = acme("audit", "--history", "--json")
    assert json.loads(out)["last_completed_at"] is not None
    (drift, *_) = json.loads(out)["drift"]
    assert (code, drift["organization"], drift["ended_at"]) == (1, "acme", None)
    assert drift["missing"] > 0
    assert "--repair" in one_error(acme("audit", "--history", "--repair"))


def test_replay(acme: CommandLine) -> None:
    """The log, replayed, is compared with the facts; each audit says what it compares."""
    code, out, _ = acme("audit")
    assert code == 0
    assert "the facts themselves: `rescind audit --replay`" in out
    code, out, _ = acme("audit", "--replay")
    assert (code, out.splitlines()[-1]) == (0, "the facts are what the log says")
    with Authority.open(DATABASE) as authority:
        by_hand(authority, "DELETE FROM rescind.group_member")
    code, out, _ = acme("audit", "--replay")
    assert code == 1
    assert "acme: 1 fact differs, the first from revision 6 on" in out
    assert "user:ada eng" in out
    code, out, _ = acme("audit", "--replay", "--json")
    found = json.loads(out)
    assert (code, found["clean"]) == (1, False)
    assert found["organizations"][0]["first_revision"] == 6
    assert "--replay" in one_error(acme("audit", "--replay", "--repair"))
    with Authority.open(DATABASE) as authority:
        by_hand(authority, "DELETE FROM rescind.change WHERE revision = 2")
    code, out, _ = acme("audit", "--replay")
    assert code == 1
    assert "the log does not fit at revision 3" in out


def test_history_of_all(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds are shown where no organization is named."""
    monkeypatch.delenv("RESCIND_ORGANIZATION", raising=False)
    assert "no data" in acme("audit", "--history")[1]
    audited()
    out = acme("audit", "--history")[1]
    assert out.splitlines()[0].startswith("round  began")
    assert "no drift was found" in out


def test_a_round_under_way_is_no_clean_audit(acme: CommandLine) -> None:
    """Until a round of all organizations is complete, that no drift was seen is no figure."""
    with Authority.open(DATABASE) as authority:
        BackgroundAudit(authority.store, Settings(audit_rows_per_second=1)).step()
    out = acme("audit", "--history")[1]
    assert "no data: no round of the background audit is complete yet" in out
    assert "no drift" not in out
    told = json.loads(acme("audit", "--history", "--json")[1])
    assert (told["drift"], told["last_completed_at"]) == ([], None)


def test_budget_of_zero_is_off(acme: CommandLine) -> None:
    """It returns at once, and has asked nothing of the store."""
    with Authority.open(DATABASE) as authority:
        BackgroundAudit(authority.store, Settings(audit_rows_per_second=0)).run(threading.Event())
    assert "no data" in acme("audit", "--history")[1]


class Counted:
    """Says stop after a number of waits, and does not wait."""

    def __init__(self, waits: int) -> None:
        self.left, self.waited = waits, list[float]()

    def is_set(self) -> bool:
        return self.left <= 0

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        self.waited.append(timeout or 0.0)
        return self.is_set()


def test_goes_on_after_a_failure(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails is waited for, longer each time; the round goes on then."""
    with Authority.open(DATABASE) as authority:
        audit = BackgroundAudit(authority.store, Settings(audit_rows_per_second=10**9))
        step, failures = audit.step, [RuntimeError("no"), RuntimeError("no")]

        def fails() -> float:
            if failures:
                raise failures.pop()
            return step()

        monkeypatch.setattr(audit, "step", fails)
        stop = Counted(20)
        audit.run(stop)
    assert stop.waited[1:3] == [2.0, 4.0]
    assert acme("audit", "--history")[1] == "no drift was found\n"


def test_outlives_a_long_outage(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many steps have failed, it waits for the next one, and no longer than it ever does."""

    def fails() -> float:
        raise RuntimeError("no")

    caplog.set_level(logging.CRITICAL, background_audit.__name__)
    with Authority.open(DATABASE) as authority:
        audit = BackgroundAudit(authority.store, Settings())
        monkeypatch.setattr(audit, "step", fails)
        stop = Counted(2_000)
        audit.run(stop)
    assert len(stop.waited) == 2_000
    assert max(stop.waited) == background_audit.LOOK_SECONDS


def test_worker_options(acme: CommandLine) -> None:
    """The pace is refused where it is none."""
    assert "--audit-pause" in one_error(acme("worker", "--audit-pause", "often"))
