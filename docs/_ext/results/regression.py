"""The table of docs/howto/regression.md: values within and beyond the training range."""

from __future__ import annotations

from results.files import interval, markdown_table, rows


def extrapolation() -> str:
    """Return errors and coverage of each quantity in docs/results/regression/extrapolation.csv."""
    header = (
        "quantity",
        "classifier",
        "n",
        "MAE",
        "bias",
        "R²",
        "in 90 % interval",
        "mean width",
    )
    lines = []
    for row in rows("regression/extrapolation.csv"):
        total = int(row["patterns"])
        share = interval(float(row["covered"]) * total, total, 2)
        numbers = (f"{float(row[key]):.3g}" for key in ("mae", "bias"))
        explained = f"{float(row['explained']):.2f}" if row["explained"] else "–"
        width = f"{float(row['width']):.3g}"
        lines.append(
            (
                row["quantity"],
                row["classifier"],
                row["n"],
                *numbers,
                explained,
                share,
                width,
            )
        )
    return markdown_table(header, lines)
