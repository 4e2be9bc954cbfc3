"""Print the measured coverage of each package, from .coverage: `./pitasker test --coverage`.

The percentage is coverage.py's own: of lines and branches together.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

COUNTED = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def read_files() -> dict[str, dict[str, int]]:
    """Return the numbers of each file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", file]
        subprocess.run(command, check=True)
        files = json.loads(file.read_text())["files"]
    return {name: values["summary"] for name, values in files.items()}


def package_of(name: str) -> str:
    """Return the package of a file: the folder below pitasker_core."""
    parts = Path(name).parts
    return parts[1] if len(parts) > 2 else "(top)"


def percent(numbers: Counter[str]) -> float:
    """Return the share of lines and branches that were run."""
    total = numbers["num_statements"] + numbers["num_branches"]
    return 100 * (numbers["covered_lines"] + numbers["covered_branches"]) / total


def main() -> None:
    """Print a line for each package, with its least covered files, and the total."""
    packages: dict[str, Counter[str]] = {}
    files: dict[str, list[tuple[float, str]]] = {}
    for name, summary in read_files().items():
        numbers = Counter({key: summary.get(key, 0) for key in COUNTED})
        if not numbers["num_statements"]:
            continue
        package = package_of(name)
        packages.setdefault(package, Counter()).update(numbers)
        short = "/".join(Path(name).with_suffix("").parts[2:]) or Path(name).stem
        files.setdefault(package, []).append((percent(numbers), short))
    total: Counter[str] = Counter()
    print(f"{'package':14} {'lines':>6} {'branches':>8} {'covered':>8}   least covered files")
    for package, numbers in sorted(packages.items()):
        total.update(numbers)
        least = ", ".join(f"{name} {value:.0f}" for value, name in sorted(files[package])[:3])
        print(
            f"{package:14} {numbers['num_statements']:6} {numbers['num_branches']:8}"
            f" {percent(numbers):7.1f}%   {least}"
        )
    print(
        f"{'all':14} {total['num_statements']:6} {total['num_branches']:8} {percent(total):7.1f}%"
    )


if __name__ == "__main__":
    main()
