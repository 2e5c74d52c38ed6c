from tests.simulation import simulate, simulation  # noqa: F401
