"""What the tests of AWS share: an environment without an account, a fake service, a clock that does not wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from sfn_notebook.aws.quota import Clock, Stopped

from .fake_service import FakeAws, World


class FakeClock(Clock):
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if self.stopped:
            raise Stopped
        self.time += seconds
        self.slept.append(seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every profile, key and setting of the machine, and the instance role; give keys that mean nothing."""
    for name in [
        name for name in os.environ if name.startswith(("AWS_", "SFN_NOTEBOOK_")) or name.lower().endswith("_proxy")
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let botocore's retries go on at once; gives the waits that were left out."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append, time=__import__("time").time))
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda _self, *_amount, **_options: True)
    return waits


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with FakeAws(World()) as found:
        yield found


@pytest.fixture
def there(aws: FakeAws, clock: FakeClock) -> dict[str, Any]:
    """Options that lead to the fake."""
    return {"endpoint_url": aws.url, "clock": clock}
