"""The sender of webhooks: retries and faults."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from sandbox.kit.app import Kit, create_base, get_kit
from sandbox.kit.webhooks import Sender
from tests.sandbox.support import Receiver


@pytest.fixture
def kit() -> Iterator[Kit]:
    found = get_kit(create_base("x"))
    yield found
    found.close()


def _send(sender: Sender, receiver: Receiver, *bodies: bytes) -> None:
    for body in bodies:
        sender.send(f"{receiver.origin}/hook", lambda body: {"X-Length": str(len(body))}, body)


def _bodies(receiver: Receiver, expected: int) -> list[bytes]:
    return [request.body for request in receiver.wait_for(expected)]


class TestSender:
    def test_delivers_in_order_with_headers_made_from_the_body(self, kit: Kit, receiver: Receiver) -> None:
        _send(Sender(kit, []), receiver, b"one", b"three")

        assert _bodies(receiver, 2) == [b"one", b"three"]
        assert [request.headers["x-length"] for request in receiver.requests] == ["3", "5"]

    def test_tries_again_with_fresh_headers_and_a_counted_body(self, kit: Kit, receiver: Receiver) -> None:
        receiver.answers = [(500, b""), None, (302, b"")]
        made = count()
        sender = Sender(kit, [0.01, 0.01, 0.01, 0.01])

        sender.send(
            f"{receiver.origin}/hook",
            lambda body: {"X-Made": str(next(made))},
            b"",
            body_fn=lambda attempt: b"attempt %d" % attempt,
        )

        assert _bodies(receiver, 4) == [b"attempt 0", b"attempt 1", b"attempt 2", b"attempt 3"]
        assert [request.headers["x-made"] for request in receiver.requests] == ["0", "1", "2", "3"]
        assert sender.wait_until_idle(2)
        statuses = [call["status"] for call in kit.journal.since(0)["calls"]]
        assert statuses == [500, None, 302, 200]

    def test_gives_up_after_the_last_gap(self, kit: Kit, receiver: Receiver) -> None:
        receiver.default = (503, b"")
        sender = Sender(kit, [0.01, 0.01])

        _send(sender, receiver, b"x")

        assert sender.wait_until_idle(2)
        assert len(receiver.requests) == 3

    def test_gives_up_waiting_for_a_slow_answer(self, kit: Kit, receiver: Receiver) -> None:
        receiver.answers = [None]
        sender = Sender(kit, [0.01], timeout_s=0.5)

        _send(sender, receiver, b"x")

        assert _bodies(receiver, 2) == [b"x", b"x"]


class TestFaultsOfWebhooks:
    def test_duplicate_is_sent_twice(self, kit: Kit, receiver: Receiver) -> None:
        kit.faults.order({"match": {"operation": "webhook"}, "kind": "duplicate"})

        _send(Sender(kit, []), receiver, b"one", b"two")

        assert sorted(_bodies(receiver, 3)) == [b"one", b"one", b"two"]

    def test_drop_is_never_sent_but_noted(self, kit: Kit, receiver: Receiver) -> None:
        kit.faults.order({"match": {"operation": "webhook"}, "kind": "drop"})
        sender = Sender(kit, [0.01])

        _send(sender, receiver, b"one", b"two")

        assert sender.wait_until_idle(2)
        assert _bodies(receiver, 1) == [b"two"]
        assert [call["fault"] for call in kit.journal.since(0)["calls"]] == ["drop", None]

    def test_reorder_goes_out_after_the_next(self, kit: Kit, receiver: Receiver) -> None:
        kit.faults.order({"match": {"operation": "webhook"}, "kind": "reorder", "seconds": 60})

        _send(Sender(kit, []), receiver, b"one", b"two")

        assert _bodies(receiver, 2) == [b"two", b"one"]

    @pytest.mark.parametrize("kind", ["reorder", "delay"])
    def test_held_ones_go_out_when_their_time_is_over(self, kit: Kit, receiver: Receiver, kind: str) -> None:
        kit.faults.order({"match": {"operation": "webhook"}, "kind": kind, "seconds": 0.05})

        _send(Sender(kit, []), receiver, b"one")

        assert _bodies(receiver, 1) == [b"one"]
