"""The figures of a machine, as `./pitasker bench` measures and prints them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def bench(*words):
    program = PROJECT / "benchmarks" / "all_figures.py"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, program, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_a_page_of_figures_shows_each_figure_with_its_floor_and_how_it_was_measured(tmp_path):
    report = json.loads(bench("--quick", "--only", "recorder", "--json").stdout)
    (figure,) = report["figures"]
    assert figure["value"] > figure["floor"] > 0
    file = tmp_path / "figures.json"
    file.write_text(json.dumps(report))
    page = bench("--page", str(file)).stdout
    assert f"- date: {report['date']}\n" in page
    assert "- command: `./pitasker bench --quick`\n" in page
    ratio = figure["value"] / figure["floor"]
    assert f"({figure['floor_name']}) | {ratio:.1f} |" in page
