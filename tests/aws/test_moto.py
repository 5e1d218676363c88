"""Against moto over HTTP: another implementation of the service, written by others."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest

from sfn_notebook.aws.executions import fetch_executions
from sfn_notebook.aws.fetch import fetch_definition, fetch_history
from sfn_notebook.aws.problems import CallFailed

DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_executions_that_boto3_starts_on_moto_are_fetched(url: str) -> None:
    client = boto3.client("stepfunctions", region_name="eu-west-1", endpoint_url=url)
    machine = client.create_state_machine(name="m", definition=DEFINITION, roleArn="arn:aws:iam::123456789012:role/r")
    arns = {
        client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps({"n": n}))["executionArn"]
        for n in range(5)
    }
    batch = fetch_executions(machine["stateMachineArn"], endpoint_url=url, progress=False)
    assert {row.arn for row in batch} == arns
    for row in batch:
        assert row.events == client.get_execution_history(executionArn=row.arn)["events"]
    one = batch[0].arn
    assert (
        fetch_history(one, boto3.Session(), endpoint_url=url) == fetch_history(one, endpoint_url=url) == batch[0].events
    )
    assert fetch_definition(one, endpoint_url=url).text == DEFINITION
    with pytest.raises(CallFailed, match="not found by GetExecutionHistory"):
        fetch_history(one[:-1], endpoint_url=url)
