"""The colours of both themes can be read: WCAG 2.2, 1.4.3 and 1.4.11."""

import tomllib
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
THEME = tomllib.loads(CONFIG.read_text())["theme"]
TEXTS = {
    "light": ["textColor", "dataframeHeaderTextColor", "codeTextColor", "primaryColor"]
    + [f"{color}TextColor" for color in ("green", "red", "orange", "blue", "gray")],
    "dark": ["textColor", "dataframeHeaderTextColor", "linkColor"],
}
SURFACES = ("backgroundColor", "secondaryBackgroundColor", "dataframeHeaderBackgroundColor")


def luminance(color):
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
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
