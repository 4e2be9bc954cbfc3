"""The colours of both themes are readable: WCAG 2.2, 1.4.3 and 1.4.11."""

import re
import tomllib
from pathlib import Path

import pytest

from pitasker_core.dashboard import charts, run_charts, terminal_output, timeline

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
STYLE = Path(charts.__file__).parent / "page.css"
EDITOR = STYLE.with_name("text_editor.css")
THEME = tomllib.loads(CONFIG.read_text())["theme"]
TEXTS = {
    "light": ["textColor", "dataframeHeaderTextColor", "codeTextColor", "primaryColor"]
    + [f"{color}TextColor" for color in ("green", "red", "orange", "blue", "gray")],
    "dark": ["textColor", "dataframeHeaderTextColor", "linkColor"],
}
SURFACES = ("backgroundColor", "secondaryBackgroundColor", "dataframeHeaderBackgroundColor")


def mixed(color, other, share):
    """Return a colour drawn over another colour with the opacity `share`."""
    pairs = [(int(color[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def luminance(color):
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(color, other):
    light, dark = sorted((luminance(color), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("theme", "text"), [(theme, text) for theme, names in TEXTS.items() for text in names]
)
def test_a_text_stands_out_from_every_background(theme, text):
    colors = THEME[theme]
    assert min(contrast(colors[text], colors[surface]) for surface in SURFACES) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_main_button_can_be_read_and_stands_out(theme):
    colors = THEME[theme]
    assert contrast(colors["primaryColor"], "#ffffff") >= 4.5
    assert contrast(colors["primaryColor"], colors["backgroundColor"]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("surface", SURFACES)
def test_a_caption_and_a_shortcut_can_be_read(theme, surface):
    colors = THEME[theme]
    caption = int(re.search(r"currentColor (\d+)%", STYLE.read_text())[1]) / 100
    for share in (caption, 0.6):  # Streamlit's fadedText60
        faint = mixed(colors["textColor"], colors[surface], share)
        assert contrast(faint, colors[surface]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_text_of_a_chosen_filter_can_be_read_at_rest_and_under_the_mouse(theme):
    colors = THEME[theme]
    for share in (0.1, 0.2):  # of the primary colour, behind the text
        behind = mixed(colors["primaryColor"], colors["backgroundColor"], share)
        assert contrast(colors["textColor"], behind) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_schedule_in_the_editor_can_be_read(theme):
    colors = THEME[theme]
    (share,) = re.findall(r"primary-color\) (\d+)%, var\(--st-text-color", EDITOR.read_text())
    text = mixed(colors["primaryColor"], colors["textColor"], int(share) / 100)
    assert contrast(text, colors["secondaryBackgroundColor"]) >= 4.5


@pytest.mark.parametrize("color", ["green", "red", "orange", "blue", "gray"])
def test_a_badge_can_be_read(color):
    colors = THEME["light"]
    for surface in SURFACES:
        behind = mixed(colors[f"{color}Color"], colors[surface], 0.1)
        assert contrast(colors[f"{color}TextColor"], behind) >= 4.5


PALETTES = [charts.OUTCOMES, charts.STATES, run_charts.COLORS, timeline.COLORS]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", sorted({c for palette in PALETTES for c in palette.values()}))
def test_a_mark_in_a_chart_stands_out(theme, color):
    assert contrast(color, THEME[theme]["backgroundColor"]) >= 3


@pytest.mark.parametrize(("light", "dark"), terminal_output.PALETTE)
def test_coloured_output_can_be_read(light, dark):
    for theme, color in (("light", light), ("dark", dark)):
        behind = mixed("#7f7f7f", THEME[theme]["backgroundColor"], 0.09)
        assert contrast(color, behind) >= 4.5
    assert contrast(light, "#ffffff") >= 4.5  # as a background
