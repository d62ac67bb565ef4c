"""How many SMS a text becomes."""

import pytest

from chalicelib.core.templates.sms_segments import Segments, count_segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", Segments("GSM-7", 0, 0)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 306, 3)),
        ("Ł" * 70, Segments("UCS-2", 70, 1)),
        ("Ł" * 71, Segments("UCS-2", 71, 2)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        ("😀" * 67, Segments("UCS-2", 134, 3)),
    ],
)
def test_places_and_parts_are_counted_as_phones_count_them(text: str, segments: Segments) -> None:
    assert count_segments(text) == segments
