"""The pages take their tables and numbers from the generator, and leave none unfilled."""

import re

import pytest

from tests.paper.results import DOCS

PAGES = (
    "decisions/0016-whole-patterns-are-the-default",
    "howto/regression",
    "paper",
    "performance",
    "physics",
    "reliability",
    "solving",
    "specklenet",
    "studies",
)


@pytest.mark.parametrize("name", PAGES)
def test_every_mark_on_a_page_is_filled(generator, name):
    page = (DOCS / f"{name}.md").read_text("utf-8")
    filled = generator.fill(page)
    assert filled != page
    assert "{{" not in filled
    assert "generated:" not in filled


def test_the_pages_use_every_number_and_table_that_there_is(generator):
    text = "".join((DOCS / f"{name}.md").read_text("utf-8") for name in PAGES)
    used = set(re.findall(r"\{\{ ([a-z0-9-]+)", text)) | set(
        re.findall(r"generated: ([a-z-]+)", text)
    )
    assert used == generator.NUMBERS.keys() | generator.TABLES.keys()


def test_an_unknown_number_is_an_error(generator):
    with pytest.raises(KeyError, match="no-such"):
        generator.fill("{{ no-such figure3 }}")
