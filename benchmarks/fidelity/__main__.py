"""What was measured and published, beside what the model says.

python -m benchmarks.fidelity           print the tables of docs/explanation/fidelity.md, made afresh
python -m benchmarks.fidelity --write   write them into that page, and the keys into docs/reference/prices.md
python -m benchmarks.fidelity --fit     first choose the factors of the published price lists anew, which is
                                        needed after a change of linux-6.18-vm; writes models/costs
"""

from __future__ import annotations

import sys
from pathlib import Path

from .fit import factors, fit
from .page import FIDELITY, PRICES, TABLES, lines, made
from .published import FITS

COSTS = Path(__file__).parents[2] / "models/costs"


def refit() -> None:
    """Write the factors of each list anew; a list that others extend comes before them."""
    for name, figures in FITS.items():
        path = COSTS / f"{name}.yaml"
        text = fit(path.read_text(encoding="utf-8"), str(path), figures)
        path.write_text(text, encoding="utf-8")
        print(f"{name}: {', '.join(f'{factor:g}' for factor in factors(text))}", file=sys.stderr)


def main(options: list[str]) -> int:
    """Do what the command line says."""
    if not set(options) <= {"--fit", "--write"}:
        print(__doc__, file=sys.stderr)
        return 2
    if "--fit" in options:
        refit()
    if "--write" in options:
        for page in (FIDELITY, PRICES):
            page.write_text(made(page.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    for name, table in TABLES.items():
        print(f"\n{name} ({table.costs})")
        print("\n".join(lines(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
