import base64
import hashlib
import io
import tomllib
from html.parser import HTMLParser

import attrs
import numpy as np
import pytest
from PIL import Image

from speckle_core import PatternSet, figures
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.report.blocks import Section, Table, aligned
from speckle_core.report.examples import collect
from speckle_core.report.html import ReportInput, render

VOID = {"meta", "source", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """The elements of a page in order, the text of each, and whether the tags balance."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag
        if tag in ("td", "th"):
            self.handle_data(" ")

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag):
        return [e for e in self.elements if e["tag"] == tag]

    def text(self, tag):
        return [" ".join(e["text"].split()) for e in self.all(tag)]


# Twenty patterns of two, four of which are read as 3, and ten of five, one of which is read as 2.
NETWORK = Evaluation(
    classes=[2, 3, 5],
    labels=[2] * 20 + [5] * 10,
    predicted=[2] * 16 + [3] * 4 + [5] * 9 + [2],
)
BASELINE = attrs.evolve(NETWORK, predicted=NETWORK.labels)
EXPERIMENT = {
    "name": "tiny",
    "description": "Two classes.",
    "seed": 7,
    "structure": {"counts": [2, 5], "patterns_per_count": 40, "sampler": {"name": "lattice"}},
    "grid": {"layout": "centered", "size": 33, "step": 0.25},
    "scattering": {"scatterer": {"name": "born"}},
    "prepare": [{"name": "block-center", "size": 11}, {"name": "standardize"}],
    "split": {"train": 60, "valid": 10, "test": 30},
    "classifier": {"name": "net", "epochs": 3},
}


@pytest.fixture(scope="module")
def given(items, grid, history):
    return ReportInput(
        title="tiny",
        experiment=EXPERIMENT,
        seed=7,
        gallery=items(2),
        grid=grid,
        blocked=grid.block(3),
        history=history(3),
        network=("net", NETWORK),
        baselines={"radial-lda": BASELINE},
        verdict="radial-lda reads all: this task does not need a network.",
        versions={"speckle-core": "0.1.0", "python": "3.11.9"},
        timings={"generate": 4.21, "train": 200.0, "evaluate": 3905.0},
        command="speckle run tiny -o runs/tiny",
    )


@pytest.fixture(scope="module")
def html(given):
    return render(given)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def in_words(given):
    """Render with small white pictures, for what stands around them; drawing takes seconds."""
    white = np.full((20, 30, 4), 255, np.uint8)

    def rendered(**changes):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(figures, "raster", lambda _figure: (white, []))
            return Page(render(attrs.evolve(given, **changes)))

    return rendered


def test_nothing_is_fetched_and_no_script_runs_but_the_page_s_own(page, html):
    assert not {"link", "iframe", "object", "base"} & {e["tag"] for e in page.elements}
    for element in page.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            assert element.get(name, "#").startswith(("#", "data:image/webp;base64,"))
        assert not [name for name in element if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    (policy,) = [e["content"] for e in page.all("meta") if e.get("http-equiv")]
    (script,) = [e["text"] for e in page.all("script")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    assert "http" not in script


def test_every_picture_is_a_webp_with_alternative_text_and_its_own_size(page):
    pictures = page.all("img")
    assert len(pictures) == 5  # gallery, curves, bars, two confusion matrices
    for picture in pictures:
        data = base64.b64decode(picture["src"].partition(",")[2], validate=True)
        image = Image.open(io.BytesIO(data))
        image.load()
        assert image.format == "WEBP"
        # Type has one size in all figures: each is shown at 96 of its 150 pixels an inch.
        shown = (int(picture["width"]), int(picture["height"]))
        assert np.allclose(shown, np.array(image.size) * 96 / 150, atol=0.6)
        assert len(picture["alt"]) > 20


def test_tables_have_headings_with_scope(page):
    heads = page.all("th")
    assert heads
    assert {e["scope"] for e in heads} == {"row", "col"}
    assert len(page.all("caption")) == len(page.all("table"))


def test_the_page_starts_with_the_result_its_interval_and_the_verdict(page):
    paragraphs = page.text("p")
    # 25 of 30: the Wilson interval at z = 1.96 is [0.664, 0.927]; 30 of 30 gives [0.886, 1.000].
    assert paragraphs[0] == "Simulated data"
    assert paragraphs[2] == (
        "net predicts the number of particles correctly in 25 of 30 unseen speckle patterns:"
    )
    assert paragraphs[3] == "0.833 [0.664, 0.927]"
    assert page.all("img")[0]["alt"] == "Accuracies: net 0.833, radial-lda 1.000."
    assert paragraphs[4] == "radial-lda reads all: this task does not need a network."


def test_sections_come_in_the_order_a_reader_wants(page):
    assert page.text("h1") == ["tiny"]
    assert page.text("h2") == [
        "When not to believe this model",
        "What was run",
        "Real space beside k space",
        "Training",
        "net and the baselines",
        "Confusion matrix",
        "Results per class",
        "Reproduction",
    ]
    targets = {e["id"] for e in page.elements if "id" in e}
    assert {e["href"][1:] for e in page.all("a")} <= targets


def test_the_experiment_is_told_in_words_and_whole_as_toml(page):
    story = next(p for p in page.text("p") if p.startswith("For each"))
    assert story == (
        "For each of the 3 numbers of particles from 2 to 5, 40 random configurations were drawn "
        "by the sampler “lattice”. Their speckle patterns were computed by the scatterer “born” on "
        "33 × 33 points of k space. Each pattern was then prepared by “block-center”, then "
        "“standardize”. The classifiers were trained on 60 patterns and validated on 10 patterns. "
        "All were tested on the same 30 unseen patterns."
    )
    assert tomllib.loads(page.all("pre")[0]["text"]) == EXPERIMENT


def test_an_experiment_that_says_little_is_told_all_the_same(in_words):
    page = in_words(experiment={"name": "x", "classifier": "net"})
    assert any("All were tested on the same 30 unseen patterns" in p for p in page.text("p"))


def test_network_and_baselines_share_a_table(page):
    rows = page.text("tr")
    # Within 1: 20 + 9 of 30. Class 2: P 16/17, R 0.8; class 3: 0, 0; class 5: P 1, R 0.9.
    assert (
        "net 0.833 [0.664, 0.927] 0.967 [0.833, 0.994] 0.967 [0.833, 0.994] 0.647 0.567 0.604"
        in rows
    )
    assert any(row.startswith("radial-lda 1.000 [0.886, 1.000]") for row in rows)


def test_every_class_has_precision_recall_f1_and_support(page):
    rows = page.text("tr")
    assert "2 0.941 0.800 0.865 20" in rows
    assert "3 0.000 0.000 0.000 0" in rows
    assert "5 1.000 0.900 0.947 10" in rows


def test_the_baseline_s_confusion_matrix_is_folded_away(page):
    assert page.text("summary") == [
        "The complete experiment with all defaults",
        "Confusion matrix of the baseline radial-lda",
    ]


def test_command_versions_seed_and_times_are_given(page):
    assert page.text("pre")[-1] == "speckle run tiny -o runs/tiny"
    assert any("(seed 7)" in p for p in page.text("p"))
    rows = page.text("tr")
    for row in ("python 3.11.9", "generate 4.2 s", "train 3 min 20 s", "evaluate 1 h 05 min"):
        assert row in rows


def test_a_stranger_s_words_stay_words(in_words):
    evil = '</title><script>alert(1)</script>"><img src=http://evil/x onerror=alert(1)>'
    page = in_words(
        title=evil,
        experiment={**EXPERIMENT, "name": evil, "description": evil},
        network=(evil, NETWORK),
        baselines={evil + "2": BASELINE},
        verdict=evil,
        versions={evil: evil},
        timings={evil: 1.0},
        command=evil,
        sections=[Section(evil, evil, [(evil, png())], [Table(evil, [evil], [[evil]])])],
    )
    assert len(page.all("script")) == 1
    assert "alert" not in page.all("script")[0]["text"]
    assert all(e["src"].startswith("data:image/webp") for e in page.all("img"))
    assert not [name for e in page.elements for name in e if name.startswith("on")]
    assert page.all("h1")[0]["text"] == evil


def png():
    return figures.encode(figures.confusion(np.eye(2, dtype=int), [2, 3]))


def test_extra_sections_stand_before_the_reproduction(in_words):
    section = Section(
        "What it looks at",
        "First.\n\nSecond.",
        figures=[("A map.", png())],
        tables=[Table("Shares.", ["n", "share"], [[2, 0.5], [5, 0.25]])],
    )
    page = in_words(sections=[section])
    assert page.text("h2")[-2:] == ["What it looks at", "Reproduction"]
    assert {"First.", "Second."} <= set(page.text("p"))
    assert page.all("img")[-1]["alt"] == "A map."
    assert {"n share", "2 0.5", "5 0.25"} <= set(page.text("tr"))


def test_the_caption_says_how_the_beamstop_is_drawn(given, in_words):
    def caption(**changes):
        captions = in_words(**changes).text("figcaption")
        return next(text for text in captions if text.startswith("Real space"))

    assert caption().endswith("The hatched patch is the beamstop.")
    (n, system, image), *_ = given.gallery
    masked = np.where(given.grid.distance() < 4, np.nan, image)
    assert caption(blocked=None, gallery=[(n, system, masked)]).endswith("behind the beamstop.")
    assert "beamstop" not in caption(blocked=None)


def test_without_gallery_history_or_baselines_their_sections_are_left_out(in_words):
    page = in_words(gallery=(), history=(), baselines={}, blocked=None)
    assert not {"Training", "Real space beside k space"} & set(page.text("h2"))
    assert len(page.all("img")) == 2
    assert page.text("p")[3] == "0.833 [0.664, 0.927]"


def test_the_same_input_gives_the_same_page(html, given):
    assert render(given) == html


@pytest.fixture(scope="module")
def shown(given, in_words):
    """The page of a classifier with probabilities, and patterns of its answers."""
    rates = np.full((30, 3), 0.1)
    rates[np.arange(30), np.searchsorted([2, 3, 5], NETWORK.predicted)] = 0.8
    network = attrs.evolve(NETWORK, probabilities=rates)
    images = np.random.default_rng(0).exponential(size=(30, 33, 33)).astype(np.float32)
    patterns = PatternSet.from_arrays(images, network.labels, given.grid)
    examples = collect(network, patterns)
    return in_words(network=("net", network), examples=examples), examples


def test_every_misread_pattern_stands_beside_a_well_read_one_with_probabilities(shown):
    page, examples = shown
    assert examples.misread == len(examples.pairs) == 5
    worst, _ = examples.pairs[0]
    assert (worst.truth, worst.read) == (5, 2)
    assert all(right.truth == right.read == wrong.truth for wrong, right in examples.pairs)
    told = page.text("figcaption")
    assert "n = 5, read as 2 with probability 0.800 (0.100 for 5)" in told
    assert "n = 5, read as 5 with probability 0.800" in told
    assert "Misread patterns" in page.text("h2")


def test_each_cell_of_the_matrix_has_a_button_and_its_patterns(shown):
    page, examples = shown
    buttons = {e["data-cell"]: e["text"] for e in page.all("button")}
    assert buttons == {"cell-2-2": "16", "cell-2-3": "4", "cell-5-2": "1", "cell-5-5": "9"}
    assert {e["id"] for e in page.all("template")} == set(buttons)
    assert [len(examples.cells[key]) for key in ((2, 2), (5, 2))] == [3, 1]


def test_the_calibration_is_drawn_and_its_error_told(shown):
    # 25 of 30 right at a probability of 0.8: off by 0.033.
    assert any("calibration error is 0.033" in e["alt"] for e in shown[0].all("img"))
    assert any("by 0.033 on average" in text for text in shown[0].text("dd"))


def test_where_not_to_believe_the_model_is_told_in_its_own_numbers(page):
    told = dict(zip(page.text("dt"), page.text("dd"), strict=True))
    assert "2 to 5" in told["Number of particles"]
    assert "6 particles" in told["Number of particles"]
    assert "“lattice”" in told["Bodies"]
    assert "33 × 33 pixels" in told["Size and centre"]
    assert "block-center, standardize" in told["Brightness"]
    assert "no noise" in told["Photons"]


def test_a_figure_of_its_own_is_there_for_dark_pages(page):
    dark = page.all("source")
    assert len(dark) == len(page.all("img"))
    for element in dark:
        assert "dark" in element["media"]
        image = Image.open(io.BytesIO(base64.b64decode(element["srcset"].partition(",")[2])))
        assert np.asarray(image.convert("L"))[0, 0] < 40


def test_numbers_of_a_column_have_equal_decimals():
    assert aligned([0.00429, 0.0105, None]) == ["0.0043", "0.0105", "–"]
    assert aligned([0.5, 0.25, 1.0]) == ["0.50", "0.25", "1.00"]
    assert aligned([12.0, 100.0]) == ["12", "100"]
