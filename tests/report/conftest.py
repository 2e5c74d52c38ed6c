from tests.figures.conftest import grid, history, items, speckle, squares  # noqa: F401
