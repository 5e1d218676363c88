"""What optimised integrations answer: the fields of their results, as far as these are fixed.

Data only, for reasoning on data flow: a field that is not listed cannot be in the result. Integrations whose answer depends on the
call are left out. `Payload` of lambda:invoke is what the function returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SDK = ("SdkHttpMetadata", "SdkResponseMetadata")
_EXECUTION = (
    "Billing", "Cause", "Error", "ExecutionArn", "Input", "InputDetails", "MapRunArn", "Name", "Output", "OutputDetails",
    "RedriveCount", "RedriveDate", "RedriveStatus", "RedriveStatusReason", "StartDate", "StateMachineAliasArn",
    "StateMachineArn", "StateMachineVersionArn", "Status", "StopDate", "TraceHeader",
)  # fmt: skip
_ITEM = ("Attributes", "ConsumedCapacity", "ItemCollectionMetrics", *_SDK)

ANSWERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dynamodb:deleteItem": _ITEM,
        "dynamodb:getItem": ("ConsumedCapacity", "Item", *_SDK),
        "dynamodb:putItem": _ITEM,
        "dynamodb:updateItem": _ITEM,
        "events:putEvents": ("Entries", "FailedEntryCount", *_SDK),
        "lambda:invoke": ("ExecutedVersion", "FunctionError", "LogResult", "Payload", "StatusCode", *_SDK),
        "sns:publish": ("MessageId", "SequenceNumber", *_SDK),
        "sqs:sendMessage": (
            "MD5OfMessageAttributes", "MD5OfMessageBody", "MD5OfMessageSystemAttributes", "MessageId", "SequenceNumber", *_SDK,
        ),
        "states:startExecution": ("ExecutionArn", "StartDate", *_SDK),
        "states:startExecution.sync": _EXECUTION,
        "states:startExecution.sync:2": _EXECUTION,
    }
)  # fmt: skip
