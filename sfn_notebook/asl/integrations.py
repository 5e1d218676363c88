"""The optimised service integrations: which actions `arn:aws:states:::SERVICE:ACTION` may name.

Data only. Any other AWS API goes through `aws-sdk:service:action`, which is not listed here. A service that is missing here is only
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

READERS = ("s3:getObject", "s3:listObjectsV2")
"""What an ItemReader may read with."""
