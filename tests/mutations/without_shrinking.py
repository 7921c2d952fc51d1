"""A pytest plugin: the first counterexample will do. Hypothesis's search for a smaller one takes most of the time."""

from hypothesis import Phase, settings


def pytest_configure() -> None:
    settings.register_profile("without shrinking", settings(), phases=[Phase.explicit, Phase.generate])
    settings.load_profile("without shrinking")
