"""The rules hold in this tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rules.rules import container, imports, names, shape, tables, tests_themselves, words
from tests.rules.rules.source import Wrong

ROOT = Path(__file__).resolve().parents[2]

Rule = Callable[[Path], Iterator[Wrong]]
RULES: tuple[Rule, ...] = (
    imports.floors_keep_their_order,
    imports.rooms_import_only_rooms_before_them,
    imports.a_step_imports_no_other_step,
    imports.only_bootstrap_names_a_backend,
    imports.libraries_stay_in_their_rooms,
    shape.no_file_is_longer_than_the_ceiling,
    shape.no_function_is_longer_than_the_ceiling,
    shape.no_function_nests_too_deep,
    shape.no_function_is_too_dense,
    shape.no_module_has_a_vague_name,
    shape.nothing_below_the_doors_is_async,
    shape.only_the_command_line_prints,
    shape.only_the_clock_asks_the_time,
    names.measures_carry_their_unit,
    names.lat_stands_before_lon,
    words.no_forbidden_words,
    words.locks_carry_hashes_and_no_addresses,
    words.every_ignore_says_why,
    words.no_retired_words_in_documents,
    words.no_retired_words_in_code,
    tests_themselves.test_names_are_sentences,
    tests_themselves.every_test_asserts,
    tests_themselves.no_test_sleeps_blindly,
    tests_themselves.nothing_of_ours_is_mocked,
    tests_themselves.every_skip_says_why,
    tests_themselves.rigs_live_in_one_place,
    container.the_dockerfile_is_sound,
    container.the_compose_file_is_sound,
    *tables.TABLES,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_this_rule_holds_in_the_whole_tree(rule: Rule) -> None:
    found = [str(breach) for breach in rule(ROOT)]
    assert not found, "\n" + "\n".join(found)


def test_half_of_all_functions_are_shorter_than_ten_lines() -> None:
    assert 0 < shape.median_length(ROOT) < shape.MEDIAN_LINES
