"""The tables of docs/studies.md: what each study found, a column for each classifier."""

from __future__ import annotations

from results.files import markdown_table, rows


def study(name: str) -> str:
    """Return accuracies and intervals of a study in docs/results/studies.csv, a row for each value."""
    found = [row for row in rows("studies.csv") if row["study"] == name]
    readers = tuple(dict.fromkeys(row["classifier"] for row in found))
    values = tuple(dict.fromkeys(row["value"] for row in found))
    table = {(row["value"], row["classifier"]): _cell(row) for row in found}
    lines = [
        (value, *(table[value, reader] for reader in readers)) for value in values
    ]
    return markdown_table((f"`{found[0]['varied']}`", *readers), lines)


def _cell(row: dict[str, str]) -> str:
    if row["error"]:
        return "–"
    share = "{accuracy:.3f} [{accuracy_low:.3f}, {accuracy_high:.3f}]"
    numbers = {
        k: float(row[k]) for k in ("accuracy", "accuracy_low", "accuracy_high")
    }
    return share.format(**numbers)


def shipped(varied: str) -> str:
    """Return what specklenet-poly reads of other conditions, and how many patterns are called far, by value."""
    found = [
        row
        for row in rows("specklenet/conditions.csv")
        if row["varied"].endswith(varied)
    ]
    readers = tuple(dict.fromkeys(row["classifier"] for row in found))
    lines = []
    for value in dict.fromkeys(row["value"] for row in found):
        of = {row["classifier"]: row for row in found if row["value"] == value}
        first = of[readers[0]]
        far = f"{int(first['far'])} of {first['patterns']}"
        cells = (_cell(of[reader] | {"error": ""}) for reader in readers)
        lines.append((value, *cells, far))
    return markdown_table((f"`{found[0]['varied']}`", *readers, "far"), lines)
