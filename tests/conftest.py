"""What all tests share: how property tests run. Examples are the same in every run, so a red build stays red until it is mended."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "project", database=None, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", parent=settings.get_profile("project"), derandomize=False, max_examples=1000)
settings.load_profile("project")
