"""The optimised service integrations: which actions `arn:aws:states:::SERVICE:ACTION` may name.

Data only, from the developer guide's table of integrations and their call patterns. Any other AWS API goes through `aws-sdk:service:action`, which is not listed here. A service that is missing here is only
a warning to the checker; an action that a listed service does not have is refused by AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTEGRATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "apigateway": ("invoke",),
        "athena": ("startQueryExecution", "stopQueryExecution", "getQueryExecution", "getQueryResults"),
        "batch": ("submitJob",),
        "bedrock": ("invokeModel", "createModelCustomizationJob"),
        "codebuild": (
            "startBuild", "stopBuild", "batchDeleteBuilds", "batchGetReports", "startBuildBatch", "stopBuildBatch",
            "retryBuildBatch", "deleteBuildBatch",
        ),
        "databrew": ("startJobRun",),
        "dynamodb": ("getItem", "putItem", "updateItem", "deleteItem"),
        "ecs": ("runTask",),
        "eks": (
            "call", "runJob", "createCluster", "deleteCluster", "createNodegroup", "deleteNodegroup", "createFargateProfile",
            "deleteFargateProfile",
        ),
        "elasticmapreduce": (
            "createCluster", "terminateCluster", "addStep", "cancelStep", "setClusterTerminationProtection",
            "modifyInstanceFleetByName", "modifyInstanceGroupByName",
        ),
        "emr-containers": ("createVirtualCluster", "deleteVirtualCluster", "startJobRun"),
        "emr-serverless": ("createApplication", "startApplication", "stopApplication", "deleteApplication", "startJobRun", "cancelJobRun"),
        "events": ("putEvents",),
        "glue": ("startJobRun",),
        "http": ("invoke",),
        "lambda": ("invoke",),
        "mediaconvert": ("createJob",),
        "sagemaker": (
            "createTrainingJob", "createTransformJob", "createProcessingJob", "createHyperParameterTuningJob", "createLabelingJob",
            "createModel", "createEndpointConfig", "createEndpoint", "updateEndpoint",
        ),
        "sns": ("publish",),
        "sqs": ("sendMessage",),
        "states": ("startExecution",),
    }
)  # fmt: skip

ONLY_REQUEST = ("dynamodb",)
"""Services that are called and answer at once: neither `.sync` nor `.waitForTaskToken`."""

NO_JOB = ("apigateway", "events", "lambda", "sns", "sqs", "aws-sdk", *ONLY_REQUEST)
"""Services without a job that `.sync` could wait for."""

NO_TOKEN = (
    "athena", "batch", "codebuild", "databrew", "elasticmapreduce", "emr-containers", "emr-serverless", "glue", "mediaconvert",
    "sagemaker", *ONLY_REQUEST,
)  # fmt: skip
"""Services that take no task token."""

JOB_AS_JSON = ("states:startExecution",)
"""Calls that also have `.sync:2`, which gives the output as JSON."""

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dynamodb:getItem": ("TableName", "Key"),
        "dynamodb:putItem": ("TableName", "Item"),
        "ecs:runTask": ("TaskDefinition",),
        "events:putEvents": ("Entries",),
        "glue:startJobRun": ("JobName",),
        "lambda:invoke": ("FunctionName",),
        "sns:publish": ("Message",),
        "sqs:sendMessage": ("QueueUrl", "MessageBody"),
        "states:startExecution": ("StateMachineArn",),
    }
)
"""The arguments that AWS does not take a call without."""

READERS = ("s3:getObject", "s3:listObjectsV2")
"""What an ItemReader may read with."""
