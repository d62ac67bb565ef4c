"""Notices a channel that refuses everything: its fault is nobody's failure, and no reason to go on asking."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.model.message import Accepted, ChannelFault, Verdict

#: engine.md: so many faults in a row, in one worker, open the circuit; the healthy path counts nothing.
FAULTS_IN_A_ROW = 5


@dataclass(slots=True)
class ChannelHealth:
    """What one worker has seen of its channels since their last accepted message."""

    in_a_row: Counter[str] = field(default_factory=Counter)

    def note(self, channel: str, verdict: Verdict) -> str | None:
        """The fault's code when it was one too many; counting then starts anew."""
        if isinstance(verdict, Accepted):
            self.in_a_row.pop(channel, None)
        if not isinstance(verdict, ChannelFault):
            return None
        self.in_a_row[channel] += 1
        if self.in_a_row[channel] < FAULTS_IN_A_ROW:
            return None
        self.in_a_row.pop(channel, None)
        return verdict.code
