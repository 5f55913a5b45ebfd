from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import SettingError, Settings, declarations, load, masked, variable


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(
    tmp_path: Path,
) -> None:
    (tmp_path / "g.toml").write_text("port = 1\nmax_items = 2\nhost = 'file'\n")
    loaded = load(
        {"GEOFENCE_CONFIG": str(tmp_path / "g.toml"), "GEOFENCE_PORT": "3", "GEOFENCE_HOST": "env"},
        port=4,
        host=None,
    )
    assert (loaded.settings.port, loaded.settings.host, loaded.settings.max_items) == (4, "env", 2)
    assert loaded.settings.queue_limit == Settings().queue_limit
    assert (loaded.sources["port"], loaded.sources["host"], loaded.sources["max_items"]) == (
        "command line",
        "environment",
        str(tmp_path / "g.toml"),
    )


def test_unknown_names_are_reported_and_other_programs_variables_are_not(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text("colour = 'red'\n")
    loaded = load({"GEOFENCE_CONFIG": str(tmp_path / "g.toml"), "GEOFENCE_ODD": "1", "HOME": "/"})
    assert sorted(loaded.unknown) == ["GEOFENCE_ODD", f"colour in {tmp_path / 'g.toml'}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("MAX_ITEMS", "0"),
        ("CLOCK", "sun"),
        ("DEV_KEY", "pk_1"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"GEOFENCE_{name}"):
        load({f"GEOFENCE_{name}": value})


def test_secrets_are_shown_by_their_last_letters_only() -> None:
    by_name = {field.name: field for field in declarations()}
    assert masked(by_name["dev_key"], "sk_0123456789") == "...6789"
    found = masked(
        by_name["database_url"], "postgresql://me:hunter2@db.example/geofence?password=again"
    )
    assert found == "postgresql://me:***@db.example/geofence"


def test_every_setting_says_what_it_is_and_numbers_their_unit() -> None:
    for field in declarations():
        assert field.metadata["doc"]
        assert field.metadata["unit"] or field.type != "int"
        assert variable(field.name) == f"GEOFENCE_{field.name.upper()}"
