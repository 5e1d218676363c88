"""`test_state`: one state, tried out as the service's TestState does.

A request is checked in the service's order and refused in its words (`RequestError`); then the state is evaluated with a mocked result
or error. What a state does to data comes from `engine.inspect` (Pass, Task, Parallel, Map) or from the state's own closure (Choice,
Wait, Succeed, Fail); Retry and Catch are the engine's. The response has the service's shape: output and data are JSON text.

Recorded peculiarities that are kept: the state is always called `StateName` in the context object and the execution is an Express one;
causes lack the sentence that names the state; a Parallel shows neither its input side nor its result, a Map not its result.
"""

from __future__ import annotations



