"""Expression languages on plain JSON: JSONPath, intrinsic functions, payload templates, JSONata. They know nothing of ASL."""
