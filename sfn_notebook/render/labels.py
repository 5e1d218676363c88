"""Short texts for drawings: wrapped names, the service behind a task, retry rules, waits.

Owns how a state is put into words, in plain text; what escaping a text then needs is the business of the format that shows it.
Takes pieces of a definition as they stand, half-broken ones too, and never raises on them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sfn_notebook.errors import Json

_SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "apigateway": "API Gateway",
        "apigatewaymanagementapi": "API Gateway",
        "athena": "Athena",
        "batch": "Batch",
        "bedrock": "Bedrock",
        "bedrockagent": "Bedrock Agent",
        "bedrockagentruntime": "Bedrock Agent",
        "bedrockruntime": "Bedrock",
        "cloudformation": "CloudFormation",
        "cloudwatch": "CloudWatch",
        "cloudwatchlogs": "CloudWatch Logs",
        "codebuild": "CodeBuild",
        "databrew": "DataBrew",
        "dynamodb": "DynamoDB",
        "ec2": "EC2",
        "ecs": "ECS",
        "eks": "EKS",
        "elasticmapreduce": "EMR",
        "emr-containers": "EMR on EKS",
        "emr-serverless": "EMR Serverless",
        "emrcontainers": "EMR on EKS",
        "emrserverless": "EMR Serverless",
        "emr": "EMR",
        "eventbridge": "EventBridge",
        "events": "EventBridge",
        "http": "HTTP",
        "iam": "IAM",
        "kms": "KMS",
        "lambda": "Lambda",
        "mediaconvert": "MediaConvert",
        "rds": "RDS",
        "rdsdata": "RDS Data",
        "redshiftdata": "Redshift Data",
        "s3": "S3",
        "sagemaker": "SageMaker",
        "secretsmanager": "Secrets Manager",
        "ses": "SES",
        "sesv2": "SES",
        "sfn": "Step Functions",
        "sns": "SNS",
        "sqs": "SQS",
        "ssm": "SSM",
        "states": "Step Functions",
        "sts": "STS",
    }
)

_PATTERNS: Mapping[str, str] = MappingProxyType(
    {"sync": "waits for end", "sync:2": "waits for end", "waitForTaskToken": "waits for token"}
)

_PATH = re.compile(r"(?<![\w\"'./])[$\w][\w$\[\]-]*(?:\.[\w$\[\]'-]+)+(?![\w(])")

_JSONATA = re.compile(r"\s*\{%\s*(.*?)\s*%\}\s*", re.DOTALL)


def width_of(text: str) -> int:
    """Count the columns of `text`: wide characters take two, combining marks and format characters none."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` columns, with an ellipsis where something is missing."""
    if width_of(text) <= limit:
        return text
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used > limit - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def one_line(text: str) -> str:
    """Fold line breaks and runs of spaces into single spaces, and make control characters visible."""
    return " ".join(visible(text).split())


def visible(text: str) -> str:
    """Replace control characters, which XML forbids, lone surrogates and marks that turn text around by signs that can be shown."""
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    code = ord(char)
    if char in "\n\t":
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:  # would turn the text after it around
        return f"⟨U+{code:04X}⟩"
    if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
        return "\ufffd"
    return char


def wrap(text: str, width: int, lines: int = 6) -> list[str]:
    """Break `text` into at most `lines` lines of about `width` columns, at spaces, `_`, `-`, `.`, `/` and camel humps.

    Joining the lines gives the text back, apart from spaces at the breaks, unless the last line ends with an ellipsis.
    """
    rows: list[str] = []
    for paragraph in visible(text).split("\n"):
        rows += _wrap_line(paragraph, width)
    if len(rows) <= lines:
        return rows
    return [*rows[: lines - 1], shorten(rows[lines - 1], width - 1).removesuffix("…") + "…"]


def _wrap_line(text: str, width: int) -> list[str]:
    if width_of(text) <= width:
        return [text]
    target = min(width, -(-width_of(text) // -(-width_of(text) // width)) + 3)  # lines of about equal length
    rows, row = [], ""
    for part in _parts(text, width):
        if row and width_of(row + part.rstrip()) > target:
            rows.append(row.strip())
            row = part.lstrip()
        else:
            row += part
    return [*rows, row.strip()] if row.strip() or not rows else rows


def _parts(text: str, width: int) -> Iterator[str]:
    """Split into words with the space after them; what is longer than a line is split at signs, humps, or anywhere."""
    for word in re.findall(r"\s+|\S+\s*", text):
        if width_of(word.rstrip()) <= width:
            yield word
            continue
        for piece in re.findall(r"[A-Z]?[^\s_\-./A-Z]+[_\-./]*\s*|[A-Z]+[_\-./]*\s*|[_\-./]+\s*|\s+", word):
            yield from _hard_pieces(piece, width)


def _hard_pieces(piece: str, width: int) -> list[str]:
    parts, part = [], ""
    for char in piece:
        if width_of(part + char) > width:
            parts.append(part)
            part = ""
        part += char
    return [*parts, part] if part else parts


def service(resource: object) -> str:
    """Name what a task's `Resource` calls: `Lambda invoke`, `DynamoDB putItem`, `Activity approve`; "" when there is none."""
    if not isinstance(resource, str) or not resource:
        return ""
    parts = resource.split(":")
    if parts[0] == "arn" and len(parts) > 6:
        return _from_arn(parts)
    return shorten(one_line(resource), 40)


def _from_arn(parts: list[str]) -> str:
    kind, rest = parts[2], parts[5:]
    if kind == "lambda" and rest[0] == "function":
        return f"Lambda {shorten(rest[1], 32)}"
    if kind != "states":
        return shorten(f"{_service_name(kind)} {rest[-1]}", 40)
    if rest[0] == "activity":
        return f"Activity {shorten(':'.join(rest[1:]), 32)}"
    if rest[0] == "aws-sdk":
        rest = rest[1:]
    call, _, pattern = ":".join(rest[1:]).partition(".")
    wait = _PATTERNS.get(pattern)
    return shorten(f"{_service_name(rest[0])} {call}".strip(), 40) + (f" · {wait}" if wait else "")


def _service_name(key: str) -> str:
    return _SERVICES.get(key.lower(), key[:1].upper() + key[1:])


def function_name(state: Json) -> str:
    """Give the short name of the function that a `lambda:invoke` task calls, "" where the text does not say."""
    arguments = state.get("Parameters", state.get("Arguments")) if isinstance(state, Mapping) else None
    name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
    if not isinstance(name, str) or name.lstrip().startswith("{%"):
        return ""
    tail = name.partition(":function:")[2] or name
    return shorten(one_line(tail.removesuffix(":$LATEST")), 32)


def retry_line(state: Json) -> str:
    """Put the Retry rules of a state into one line: `↻ 3× TooManyRequestsException +2 · 1× any error`; "" without any."""
    rules = state.get("Retry") if isinstance(state, Mapping) else None
    parts = [_retry_part(rule) for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    if not parts:
        return ""
    line = " · ".join(parts)
    if len(parts) > 1 and width_of(line) > 34:
        line = f"{parts[0]} · {len(parts) - 1} more rule" + ("s" if len(parts) > 2 else "")
    return "↻ " + line


def _retry_part(rule: dict[str, Json]) -> str:
    attempts = rule.get("MaxAttempts", 3)
    return f"{attempts if isinstance(attempts, int) else '?'}× {errors_line(rule.get('ErrorEquals'), 26)}"


def errors_line(errors: object, width: int = 40) -> str:
    """Name errors briefly: all where there is room, else the first without its service, and how many more."""
    names = [one_line(str(name)) for name in errors] if isinstance(errors, (list, tuple)) else []
    if not names:
        return "no error named"
    if names == ["States.ALL"]:
        return "any error"
    line = ", ".join(names)
    if width_of(line) <= width:
        return line
    first = names[0] if names[0].startswith("States.") else names[0].rpartition(".")[2] or names[0]
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return shorten(first, width - len(more)) + more


def wait_line(state: Json) -> str:
    """Say how long a Wait state waits."""
    for key in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"):
        value = state.get(key) if isinstance(state, Mapping) else None
        if value is None:
            continue
        text = expression(value)
        if key == "Seconds" and isinstance(value, (int, float)):
            return duration_words(value)
        return (
            f"until {text}"
            if key.startswith("Timestamp")
            else f"seconds in {text}"
            if key == "SecondsPath"
            else f"{text} s"
        )
    return ""


def expression(value: object, limit: int = 32) -> str:
    """Show a literal, path or JSONata expression without its braces, cut to `limit` columns."""
    text = value if isinstance(value, str) else str(value)
    match = _JSONATA.fullmatch(text)
    return shorten(one_line(match[1] if match else text), limit)


def compact(condition: str, limit: int = 78) -> str:
    """Shorten a condition by the beginnings of its long paths, because their last steps and what they are compared with tell most."""
    text = one_line(condition)
    if width_of(text) > 36:
        text = _PATH.sub(_last_steps, text)
    return shorten(text, limit)


def condition_lines(condition: str, width: int = 30, lines: int = 4) -> list[str]:
    """Break a condition for an edge's label, before all at its `and` and `or`."""
    rows: list[str] = []
    for part in re.findall(r".+?(?:\s(?:and|or)\s|$)", compact(condition, width * lines)):
        joined = f"{rows[-1]} {part.strip()}" if rows else part.strip()
        if rows and width_of(joined) <= width:
            rows[-1] = joined
        else:
            rows += wrap(part.strip(), width, lines)
    return rows if len(rows) <= lines else [*rows[: lines - 1], shorten(rows[lines - 1] + "…", width)]


def _last_steps(path: re.Match[str]) -> str:
    if len(path[0]) <= 18:
        return path[0]
    before, _, last = path[0].rpartition(".")
    previous = before.rpartition(".")[2]
    return f"…{previous}.{last}" if len(previous) + len(last) < 18 else f"…{last}"


def duration_words(seconds: float) -> str:
    """Write a duration as people say it: `250 ms`, `2.5 s`, `5 min`, `2 h`, `3 d`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size * 2 or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:,.4g} {unit}"
    return f"{seconds:.4g} s"
