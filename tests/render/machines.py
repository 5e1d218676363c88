"""Definitions that the tests of drawings share."""

from typing import Any

Machine = dict[str, Any]


def task(resource: str = "arn:aws:states:::lambda:invoke", **fields: Any) -> Machine:
    return {"Type": "Task", "Resource": resource, **fields}


def machine(**states: Machine) -> Machine:
    return {"StartAt": next(iter(states)), "States": states}


ORDERS = machine(
    Validate=task(
        "arn:aws:lambda:eu-west-1:123456789012:function:validate-order",
        Retry=[{"ErrorEquals": ["Lambda.TooManyRequestsException", "Lambda.ServiceException"], "MaxAttempts": 4}],
        Catch=[{"ErrorEquals": ["ValidationError"], "Next": "Refused"}],
        Next="Prepare",
    ),
    Prepare={
        "Type": "Parallel",
        "Branches": [
            machine(Charge=task("arn:aws:states:::http:invoke", End=True)),
            machine(Reserve=task("arn:aws:states:::aws-sdk:dynamodb:updateItem", End=True)),
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}],
        "Next": "Ready?",
    },
    **{
        "Ready?": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.paid", "BooleanEquals": True},
                        {"Variable": "$.total", "NumericGreaterThan": 100},
                    ],
                    "Next": "Pack",
                }
            ],
            "Default": "Undo",
        }
    },
    Pack={
        "Type": "Map",
        "MaxConcurrency": 3,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **machine(Wrap={"Type": "Pass", "End": True})},
        "Next": "Cool down",
    },
    **{"Cool down": {"Type": "Wait", "Seconds": 7200, "Next": "Done"}},
    Done={"Type": "Succeed"},
    Undo=task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Next="Refused"),
    Refused={"Type": "Fail", "Error": "OrderRefused"},
)

MACHINES: dict[str, Machine] = {
    "one_pass": machine(Only={"Type": "Pass", "End": True}),
    "orders": ORDERS,
    "loop": machine(
        Look=task("arn:aws:states:::glue:startJobRun.sync", Next="Finished?"),
        **{
            "Finished?": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.status = 'DONE' %}", "Next": "End"}],
                "Default": "Rest",
            }
        },
        Rest={"Type": "Wait", "TimestampPath": "$.until", "Next": "Look"},
        End={"Type": "Succeed"},
    ),
    "shared_handler": machine(
        **{
            f"Step{i}": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Oops"}], Next=f"Step{i + 1}")
            for i in range(5)
        },
        Step5={"Type": "Succeed"},
        Oops={"Type": "Fail"},
    ),
    "nested": machine(
        Outer={
            "Type": "Map",
            "Iterator": machine(
                Inner={
                    "Type": "Parallel",
                    "Branches": [machine(A=task(End=True)), machine(B={"Type": "Fail"})],
                    "End": True,
                }
            ),
            "End": True,
        }
    ),
    "long_names": machine(
        **{
            "Check whether the customer who placed this order is still allowed to pay by invoice": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Or": [
                            {"Variable": "$.order.customer.profile.invoiceAllowed", "BooleanEquals": True},
                            {"Variable": "$.order.customer.profile.creditRating", "NumericGreaterThanEquals": 700},
                        ],
                        "Next": "ThisIsOneOfThoseCamelCaseNamesThatNeverEverSeemToComeToAnEnd",
                    },
                    {"Variable": "$.x", "IsPresent": False, "Next": "日本語の長い状態名"},
                ],
            },
            "ThisIsOneOfThoseCamelCaseNamesThatNeverEverSeemToComeToAnEnd": task("${Placeholder}", End=True),
            "日本語の長い状態名": {"Type": "Pass", "End": True},
        }
    ),
    "half_written": {
        "StartAt": "Nowhere",
        "States": {
            "A": {"Type": "Task", "Next": "B", "Retry": "soon", "Catch": [None, {"Next": "C", "ErrorEquals": 3}]},
            "D": {"Type": "Tusk", "End": True},
            "E": {"Type": "Map", "ItemProcessor": {"States": []}, "Next": 7},
            "F": 5,
            "G": {"Type": "Choice", "Choices": [{"Next": "A"}, 4], "Default": "H"},
        },
    },
    "empty": {},
}

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "</title></svg><h1>x</h1>",
    "a & b &amp; &lt;b&gt; &#65; &nbsp;",
    "say \"hi\" 'there'",
    "back\\slash \\N \\n \\G \\\\E end\\",
    "line\nbreak\r\ttab",
    "\u202eRTL אבג \u200f mark",
    "😀 emoji 日本語テキスト 🏳️‍🌈 e\u0301",
    "x" * 80,
    "A -> B; } digraph { evil [label=<<B>x</B>>]",
    "<B>bold</B><BR/>",
    's0 --> s1["x"]; click s0 call()',
    "%%{init: {}}%%",
    "`tick` ${x} {{y}} %7B $(rm)",
    "]]> --> <!-- c --> <![CDATA[x]]>",
    "  two  spaces  ",
    "",
    " ",
    "\x00\x07ctl\x7f\x85",
    "\u2028sep\ufeff\ufffe",
    "\ud800 lone",
    "~/~1 /slash%2F",
    "javascript:alert(1)",
    "{% $x %}",
    "start",
    "end",
    "constructor",
    "cluster_",
]


def around(name: str) -> Machine:
    """A machine in which one text stands wherever a text can stand."""
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": f"$.{name}", "StringEquals": name, "Next": name}],
        "Default": name,
    }
    own = task(
        name,
        Comment=name,
        Parameters={"FunctionName": name},
        Retry=[{"ErrorEquals": [name], "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": [name], "Next": "Fine"}],
        Next="Wait a bit",
    )
    wait = {"Type": "Wait", "TimestampPath": name, "Next": "Inside"}
    inside = {"Type": "Map", "ItemProcessor": machine(Nothing={"Type": name, "Next": name}), "Next": "Fine"}
    fine = {"Type": "Fail", "Error": name, "Cause": name}
    return machine(**{"Which way": choice, name: own, "Wait a bit": wait, "Inside": inside, "Fine": fine})
