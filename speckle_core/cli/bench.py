"""``speckle bench``: how fast this machine is."""

from __future__ import annotations

from typing import Annotated

import typer

from speckle_core.cli.options import Json


def bench(
    size: Annotated[
        int, typer.Option(metavar="PIXELS", min=3, help="Pixels along each side, odd.")
    ] = 257,
    network: Annotated[
        bool, typer.Option("--network/--no-network", metavar="", help="Train the network, too.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine simulates, writes, reads, trains, predicts and solves.

    Takes less than a minute. Figures are milliseconds for one pattern, the best of several
    repeats: CPU time of one core, and wall time for writing, the network and the solver. The
    product is what one would write by hand in NumPy for 20 equal disks; reference is the machine
    of the documentation.

    For example:

      speckle bench
      speckle bench --size 513 --json > bench.json
    """
    import attrs

    from speckle_core.bench import measure
    from speckle_core.cli.failure import say
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.experiment.provenance import versions

    if size % 2 == 0:
        raise typer.BadParameter("must be odd, so that k = 0 is a pixel", param_hint="--size")
    figures = []
    for figure in measure(size, network=network):
        shown = "not measured" if figure.ms is None else f"{figure.ms:.3g} ms"
        say(f"{figure.name}: {shown}")
        figures.append(figure)
    if as_json:
        about = {"size": size, "unit": "ms a pattern", "versions": versions()}
        print_json(about | {"figures": [attrs.asdict(figure) for figure in figures]})
        return
    product = next((figure.ms for figure in figures if figure.name == "product"), None)
    rows = []
    for figure in figures:
        if figure.ms is None:
            rows.append((figure.name, figure.note, "", "", ""))
            continue
        ratio = figure.ms / product if product else float("nan")
        reference = "" if figure.reference is None else f"{figure.reference:.3g}"
        rows.append(
            (figure.name, f"{figure.ms:.3g}", f"{1e3 / figure.ms:.3g}", f"{ratio:.2f}", reference)
        )
    print_table(("", "ms a pattern", "patterns/s", "times the product", "reference, ms"), rows)
