"""What work asks of AWS, in the units in which AWS bills it."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class AwsUsage:
    """All whole numbers, so that sums of them are exact."""

    #: DynamoDB's write request units, of tables and indexes.
    write_units: int = 0
    #: Halves of its read request units: a read that may lag costs one of them.
    read_halves: int = 0
    #: Requests to SQS, each of up to 64 KB; also those by which Lambda fetches a batch and deletes it.
    queue_requests: int = 0
    #: Of Lambda functions.
    invocations: int = 0
    #: Lambda's memory in MB times the milliseconds in which it ran.
    megabyte_milliseconds: int = 0

    def __add__(self, other: "AwsUsage") -> "AwsUsage":
        return AwsUsage(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(astuple(self))

    @property
    def read_units(self) -> float:
        """DynamoDB's read request units."""
        return self.read_halves / 2

    @property
    def gigabyte_seconds(self) -> float:
        """What Lambda's time is billed by."""
        return self.megabyte_milliseconds / 1024 / 1000
