"""Whose session it is, and what is set on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.parsers import JSONParser

from sfn_notebook.aws.arns import arn_of
from sfn_notebook.aws.fetch import fetch_history, fetch_recording
from sfn_notebook.aws.problems import CallFailed, problem
from sfn_notebook.aws.session import connect, utc
from sfn_notebook.errors import AwsError, CommandError

from .fake_service import BASE, FakeAws, execution

ARN = f"{BASE}:execution:orders:o-1"


def user_session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1")


def test_our_own_session_retries_adaptively_and_has_a_connection_for_each_thread() -> None:
    config = connect(region="eu-west-1", pool=32).client("stepfunctions").meta.config
    assert config.retries["mode"] == "adaptive"
    assert config.retries["total_max_attempts"] == 8
    assert config.max_pool_connections == 32


def test_a_config_is_laid_over_our_settings() -> None:
    config = connect(region="eu-west-1", config=Config(read_timeout=5)).client("stepfunctions").meta.config
    assert config.read_timeout == 5
    assert config.retries["mode"] == "adaptive"


def test_nothing_of_ours_is_set_on_the_users_session() -> None:
    session = user_session()
    plain = session.client("stepfunctions").meta.config
    ours = connect(session, arn=arn_of(ARN)).client("stepfunctions")
    assert ours.meta.region_name == "eu-west-1"
    assert (ours.meta.config.retries, ours.meta.config.max_pool_connections) == (
        vars(plain)["retries"],
        vars(plain)["max_pool_connections"],
    )
    factory = session._session.get_component("response_parser_factory")
    assert type(factory.create_parser("json")) is JSONParser
    assert factory._defaults == {}
    assert session.region_name == "us-east-1"


def test_hooks_of_the_users_session_see_every_call(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    seen: list[str] = []
    session = user_session()
    session.events.register("before-call.stepfunctions", lambda model, **_: seen.append(model.name))
    fetch_history(ARN, session, **there)
    assert seen == ["GetExecutionHistory"]


def test_a_history_is_the_same_through_any_session_and_as_boto3_gives_it(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1", steps=30))
    ours = fetch_recording(ARN, **there)
    theirs = fetch_recording(ARN, user_session(), **there)
    core = fetch_recording(ARN, botocore.session.Session(), **there)
    client = boto3.client("stepfunctions", region_name="eu-west-1", endpoint_url=aws.url)
    assert ours == theirs == core
    assert ours.events == client.get_execution_history(executionArn=ARN)["events"]
    assert {event["timestamp"].utcoffset().total_seconds() for event in ours.events + theirs.events} == {0}


def test_the_default_session_of_boto3_gives_region_and_keys(aws: FakeAws) -> None:
    boto3.setup_default_session(region_name="ap-south-1", aws_access_key_id="DEFAULT", aws_secret_access_key="x")
    found = connect()
    assert found.own
    assert found.region == "ap-south-1"
    assert found.session.get_credentials().access_key == "DEFAULT"
    assert found.session is not boto3.DEFAULT_SESSION


def test_a_profile_gives_keys_and_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile night]\nregion = eu-north-1\naws_access_key_id = NIGHT\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    found = connect(profile="night")
    assert found.session.get_credentials().access_key == "NIGHT"
    assert found.where == "eu-north-1 (profile night)"
    with pytest.raises(AwsError, match=r'there is no AWS profile "day"; configured are: night'):
        connect(profile="day")


def test_the_region_of_the_arn_is_used_and_must_not_be_contradicted() -> None:
    assert connect(arn=arn_of(ARN)).region == "eu-west-1"
    assert connect(arn=arn_of(ARN), region="eu-west-1").region == "eu-west-1"
    with pytest.raises(AwsError, match=r'region="us-east-1" contradicts the ARN, which is in eu-west-1'):
        connect(arn=arn_of(ARN), region="us-east-1")


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(CommandError, match=r"session= and profile= exclude each other"):
        connect(user_session(), profile="night")
    with pytest.raises(CommandError, match=r"takes a boto3.Session, but found str"):
        connect("night")


def test_without_a_region_the_message_says_how_to_give_one() -> None:
    with pytest.raises(CallFailed, match=r"no usable region .* give region=") as caught:
        connect().client("stepfunctions")
    assert caught.value.kind == "region"


def test_a_region_or_endpoint_that_is_no_name_is_refused_before_any_call() -> None:
    with pytest.raises(AwsError, match=r"eu west"):
        connect(region="eu west").client("stepfunctions")
    with pytest.raises(AwsError, match=r"no client of stepfunctions can be made: invalid endpoint"):
        connect(region="eu-west-1", endpoint_url="localhost").client("stepfunctions")


def test_without_credentials_one_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, Any]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CallFailed) as caught:
        fetch_history(ARN, **there)
    assert caught.value.kind == "credentials"
    assert str(caught.value).startswith(f"no valid AWS credentials for GetExecutionHistory of {ARN} in eu-west-1")
    assert "aws sso login" in str(caught.value)


def test_a_port_where_nobody_listens_is_a_connection_that_cannot_be_made(there: dict[str, Any]) -> None:
    with pytest.raises(CallFailed) as caught:
        fetch_history(ARN, **{**there, "endpoint_url": "http://127.0.0.1:9"})
    assert caught.value.kind == "connection"
    assert "AWS cannot be reached for GetExecutionHistory" in str(caught.value)
    assert "endpoint_url=" in str(caught.value)


def test_a_host_that_does_not_exist_in_an_unknown_region_is_called_so() -> None:
    from botocore.exceptions import EndpointConnectionError

    error = EndpointConnectionError(endpoint_url="https://states.eu-wets-1.amazonaws.com/")
    found = problem(error, "ListExecutions", region="eu-wets-1")
    assert found.kind == "region"
    assert "did you mean eu-west-1" in str(found)
    assert problem(error, "ListExecutions", region="eu-west-1").kind == "connection"


@pytest.mark.parametrize(
    "value", [1.5e9, 1500000000, "1500000000", "2017-07-14T02:40:00Z", "2017-07-14T04:40:00+02:00"]
)
def test_timestamps_of_any_service_are_read_as_utc(value: Any) -> None:
    found = utc(value)
    assert found is not None
    assert found.isoformat() == "2017-07-14T02:40:00+00:00"


@pytest.mark.parametrize("value", [None, "soon", [], {}])
def test_what_is_no_timestamp_is_none(value: Any) -> None:
    assert utc(value) is None
