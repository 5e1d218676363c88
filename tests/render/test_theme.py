import pytest

from sfn_notebook.render.theme import AUTO, DARK, LIGHT, MARKS, Status, Theme


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("surface", "group-fill", "branch-fill")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_is_readable_on_everything_that_it_stands_on(theme: Theme) -> None:
    fills = [role for role in theme.colours if role.endswith("-fill")]
    pairs = [("text", fill) for fill in [*fills, "surface"]]
    pairs += [("muted", fill) for fill in [*fills, "surface"] if fill != "not-reached-fill"]
    pairs += [
        (role, ground)
        for role in ("choice-text", "catch-text", "not-reached-text", "missing-text")
        for ground in GROUNDS
    ]
    pairs += [("not-reached-text", "not-reached-fill"), ("missing-text", "missing-fill")]
    poor = {
        (text, ground): round(contrast(theme[text], theme[ground]), 2)
        for text, ground in pairs
        if contrast(theme[text], theme[ground]) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_lines_that_carry_meaning_stand_out(theme: Theme) -> None:
    lines = [
        role
        for role in theme.colours
        if role.endswith("-line") and role not in {"group-line", "branch-line", "not-reached-line"}
    ]
    poor = {
        role: round(contrast(theme[role], theme["surface"]), 2)
        for role in [*lines, "edge", "taken-edge"]
        if contrast(theme[role], theme["surface"]) < 3
    }
    assert poor == {}


def test_themes_have_the_same_roles_and_a_light_colour_stands_for_one_role() -> None:
    assert set(LIGHT.colours) == set(DARK.colours)
    assert len(set(LIGHT.colours.values())) == len(LIGHT.colours)
    assert AUTO.colours == LIGHT.colours


def test_every_status_has_a_mark_of_its_own_and_colours() -> None:
    assert len(set(MARKS.values())) == len(Status)
    for status in Status:
        assert {f"{status.replace(' ', '-')}-{part}" for part in ("fill", "line")} <= set(LIGHT.colours)
