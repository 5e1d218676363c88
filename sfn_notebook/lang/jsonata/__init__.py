"""JSONata as AWS Step Functions evaluates it: JSONata 2.0.6 with the service's additions, omissions, limits and texts.

`jsonata-python` reads the text (`syntax`) and the pictures of dates and whole numbers (`pictures`). What it read is turned
into closures (`compiler`, `paths`) over a table of functions (`strings`, `numeric`, `arrays`, `format_number`, `pictures`,
`service`), because what the service does differently lies there: arithmetic, rounding, UTF-16, patterns, budgets, errors.
Everything is compiled once and may be shared by threads. ASL is not known here, only fields as places in messages.
"""

from sfn_notebook.lang.jsonata.arrays import type_name
from sfn_notebook.lang.jsonata.expression import Expression, compile_jsonata, unsupported, variable_names
from sfn_notebook.lang.jsonata.failures import QueryEvaluationFailure
from sfn_notebook.lang.jsonata.syntax import UnsupportedExpression
from sfn_notebook.lang.jsonata.template import JsonataTemplate, compile_tree, expect, is_expression, strip_expression

__all__ = [
    "Expression",
    "JsonataTemplate",
    "QueryEvaluationFailure",
    "UnsupportedExpression",
    "compile_jsonata",
    "compile_tree",
    "expect",
    "is_expression",
    "strip_expression",
    "type_name",
    "unsupported",
    "variable_names",
]
