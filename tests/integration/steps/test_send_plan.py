"""The send plan: outdated reads of channels."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.channels.circuit_breaker import trip
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import ChannelStatus
from tests.integration.consent_helpers import swap_ports
from tests.integration.harness import PatchedPort, Story, story

__all__ = ["story"]


class TestAnOutdatedChannel:
    """The first look at a channel may lag too; no contact is skipped, and no flow paused, because of a stale read."""

    @pytest.mark.parametrize("before", ["not there", "switched off", "broken"])
    def test_skips_nobody_and_pauses_nothing(self, story: Story, before: str) -> None:
        story.set_up(contacts=2)
        flow = story.start(story.campaign(story.send("one")))
        circuits = story.world.ports.circuits

        def find_channel(workspace: WorkspaceUid, uid: str, *, strong: bool = True) -> ChannelStatus | None:
            found = circuits.find_channel(workspace, uid)
            if strong or found is None:
                return found
            broken = trip(Circuit(), (), story.world.ports.clock.real())
            off = found.channel.model_copy(update={"active": False})
            then = {"switched off": replace(found, channel=off), "broken": replace(found, circuit=broken)}
            return then.get(before)

        swap_ports(story, circuits=PatchedPort(circuits, find_channel=find_channel))
        story.advance(timedelta(seconds=10))
        assert (story.flow(flow)["status"], len(story.provider.calls)) == ("completed", 2)
