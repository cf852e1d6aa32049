"""Our item keys outlive HubSpot's line item ids."""

from __future__ import annotations

import pytest

from app.deals.keys import Alias, assign
from app.ports import CrmLine
from tests.factories import crm_line

PLATFORM = Alias("platform", "501", "77", "Platform")


def names(*aliases: Alias) -> list[str]:
    return [alias.key for alias in aliases]


class TestNewLines:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("Platform seat", "platform-seat"), ("  Ünï & Co.  ", "n-co"), ("", "item"), ("☕", "item"),
            ("x" * 60, "x" * 40), ("A--B", "a-b"),
        ],
    )  # fmt: skip
    def test_get_a_readable_key(self, name: str, key: str) -> None:
        assert assign([], [crm_line("1", name=name)]).keys == {"1": key}

    def test_get_keys_of_their_own_where_names_are_equal(self) -> None:
        got = assign([], [crm_line("1"), crm_line("2"), crm_line("3")])

        assert got.keys == {"1": "platform", "2": "platform-2", "3": "platform-3"}
        assert [alias.line_id for alias in got.changed] == ["1", "2", "3"]

    def test_never_take_the_key_of_an_item_that_is_gone(self) -> None:
        got = assign([PLATFORM], [crm_line("9", name="Platform", hs_product_id="78")])

        assert got.keys == {"9": "platform-2"}
        assert names(*got.vanished) == ["platform"]


class TestKnownLines:
    def test_keep_their_key(self) -> None:
        got = assign([PLATFORM], [crm_line("501", hs_product_id="77")])

        assert (got.keys, got.changed, got.vanished) == ({"501": "platform"}, (), ())

    def test_keep_their_key_when_renamed_and_are_known_by_the_new_name(self) -> None:
        renamed = assign([PLATFORM], [crm_line("501", name="Platform Pro", hs_product_id="77")])

        assert renamed.keys == {"501": "platform"}
        assert renamed.changed == (Alias("platform", "501", "77", "Platform Pro"),)

        again = assign(renamed.changed, [crm_line("777", name="Platform Pro", hs_product_id="77")])
        assert again.keys == {"777": "platform"}

    def test_keep_their_keys_whatever_the_order(self) -> None:
        known = assign([], [crm_line("1"), crm_line("2")]).changed

        assert assign(known, [crm_line("2"), crm_line("1")]).keys == {"1": "platform", "2": "platform-2"}


class TestReaddedLines:
    def test_are_matched_by_product_and_name(self) -> None:
        got = assign([PLATFORM], [crm_line("777", hs_product_id="77")])

        assert got.keys == {"777": "platform"}
        assert got.changed == (Alias("platform", "777", "77", "Platform"),)
        assert got.vanished == ()

    @pytest.mark.parametrize(
        "line", [crm_line("9", name="Platform Pro", hs_product_id="77"), crm_line("9", hs_product_id=None)]
    )
    def test_are_new_where_name_or_product_differs(self, line: CrmLine) -> None:
        got = assign([PLATFORM], [line])

        assert got.keys["9"] != "platform"
        assert names(*got.vanished) == ["platform"]

    def test_take_the_place_of_two_equal_ones_in_order(self) -> None:
        known = assign([], [crm_line("1"), crm_line("2")]).changed

        assert assign(known, [crm_line("8"), crm_line("9")]).keys == {"8": "platform", "9": "platform-2"}

    def test_of_two_equal_ones_take_the_place_of_the_one_that_is_gone(self) -> None:
        known = assign([], [crm_line("1"), crm_line("2")]).changed
        got = assign(known, [crm_line("1"), crm_line("9")])

        assert got.keys == {"1": "platform", "9": "platform-2"}
        assert got.vanished == ()


class TestVanishedLines:
    def test_are_named(self) -> None:
        other = Alias("support", "502", None, "Support")
        got = assign([PLATFORM, other], [crm_line("501")])

        assert names(*got.vanished) == ["support"]
