"""The tables of docs/studies.md: what each study found, a column for each classifier and model."""

from __future__ import annotations

from results.files import markdown_table, rows


def study(name: str) -> str:
    """Return accuracies and intervals of a study in docs/results/studies.csv, a row for each value.

    A reader of fewer test patterns than the others has their number in its heading; a trained model has
    a second column, how many patterns it calls far.
    """
    found = [row for row in rows("studies.csv") if row["study"] == name]
    readers = tuple(dict.fromkeys(row["classifier"] for row in found))
    values = tuple(dict.fromkeys(row["value"] for row in found))
    table = {(row["value"], row["classifier"]): row for row in found}
    whole = max(int(row["patterns"]) for row in found)
    heading: list[str] = [f"`{found[0]['varied']}`"]
    columns = []
    for reader in readers:
        column = [table.get((value, reader)) for value in values]
        known = {row["patterns"] for row in column if row and not row["error"]}
        few = ", ".join(sorted(n for n in known if int(n) < whole))
        heading.append(f"{reader} ({few} patterns)" if few else reader)
        columns.append([_cell(row) for row in column])
        if any(row and row["far"] for row in column):
            heading.append("far")
            columns.append([_far(row) for row in column])
    lines = [
        (_value(value), *cells)
        for value, *cells in zip(values, *columns, strict=True)
    ]
    return markdown_table(tuple(heading), lines)


def _value(value: str) -> str:
    """Return a value, a large decimal number in powers of ten: 1000.0 is 1e3."""
    try:
        number = float(value)
    except ValueError:
        return value
    if "." not in value or number < 1e3:
        return value
    return f"{number:.3g}".replace("e+0", "e")


def _cell(row: dict[str, str] | None) -> str:
    if row is None or row["error"]:
        return "–"
    value, low, high = (float(row[f"accuracy{end}"]) for end in ("", "_low", "_high"))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _far(row: dict[str, str] | None) -> str:
    return f"{row['far']} of {row['patterns']}" if row and row["far"] else "–"
