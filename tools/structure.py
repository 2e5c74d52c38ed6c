"""Prints how speckle_core is built: files per package, farthest import chain, circles.

`make lint` runs it for readers; that the layers hold is checked by the contracts in pyproject.toml.
"""

from collections import Counter
from graphlib import CycleError, TopologicalSorter

import grimp

CORE = "speckle_core"


def imports_of(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    """Return what each module but the facade imports, for annotations too."""
    inside = graph.modules - {CORE}
    found = {m: graph.find_modules_directly_imported_by(m) & inside for m in sorted(inside)}
    return {module: imported - {module} for module, imported in found.items()}


def chain_or_circle(imports: dict[str, set[str]]) -> str:
    """Return the longest chain of imports, or one of the circles."""
    chains: dict[str, list[str]] = {}
    try:
        for name in TopologicalSorter(imports).static_order():
            below = (chains[other] for other in sorted(imports[name]))
            chains[name] = [name, *max(below, key=len, default=[])]
    except CycleError as error:
        return "a circle: " + " > ".join(error.args[1])
    farthest = max(chains.values(), key=len)
    return f"no circle; farthest chain, {len(farthest)}: {' > '.join(farthest)}"


def main() -> None:
    """Print it all."""
    graph = grimp.build_graph(CORE)
    files = Counter(m.split(".")[1] for m in graph.modules - {CORE})
    print("files:", ", ".join(f"{name} {count}" for name, count in files.most_common()))
    modules = imports_of(graph)
    for package in graph.find_children(CORE):
        graph.squash_module(package)
    for kind, imports in (("packages", imports_of(graph)), ("modules", modules)):
        count = sum(map(len, imports.values()))
        print(f"{len(imports)} {kind}, {count} arrows,", chain_or_circle(imports))


if __name__ == "__main__":
    main()
