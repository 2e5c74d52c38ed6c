"""What the table of faults has to show, whichever model it was made with."""

from tests.paper.results import rows

#: Frames whose fault the truth does not mend: what is missing was not measured.
LOST = ("k step 0.8 of the model's", "k step 2.0 of the model's", "65 pixels of 129")


def test_no_fault_is_read_wrongly_and_believed():
    for name in ("faults", "recorded-ideal", "recorded-realistic"):
        for row in rows(f"faults/{name}.csv"):
            for way in ("as it comes", "step told", "told"):
                assert float(row[f"{way}: wrong and believed"]) <= 0.05, (name, row)


def test_centre_step_size_and_masks_are_mended_where_the_truth_is_told():
    mended = 0
    files = ("faults", "recorded-realistic")
    for row in [row for name in files for row in rows(f"faults/{name}.csv")]:
        kinds = ("beam centre", "k step", "pixels", "gaps", "arm")
        if any(kind in row["fault"] for kind in kinds) and "point spread" not in row["fault"]:
            if row["fault"] in LOST:
                assert float(row["told: refused"]) == 1, row
            else:
                assert float(row["told: right"]) >= 0.95, row
                mended += 1
    assert mended >= 30


def test_a_network_that_never_saw_noise_calls_all_noisy_frames_far():
    for row in rows("faults/recorded-ideal.csv"):
        assert row["told: refused"] == "1.00" or row["told: far"] == "1.00", row
