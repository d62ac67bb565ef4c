"""AWS usage in the units that AWS bills."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class AwsUsage:
    """Usage of one or more batches. All values are integers, so that sums are exact."""

    #: DynamoDB write request units, of tables and indexes.
    write_units: int = 0
    #: Halves of DynamoDB read request units: an eventually consistent read costs one half.
    read_halves: int = 0
    #: SQS requests of up to 64 KB each, including Lambda's requests to receive and delete a batch.
    queue_requests: int = 0
    #: Lambda invocations.
    invocations: int = 0
    #: Lambda memory in MB times run time in milliseconds.
    megabyte_milliseconds: int = 0

    def __add__(self, other: "AwsUsage") -> "AwsUsage":
        return AwsUsage(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(astuple(self))

    @property
    def read_units(self) -> float:
        """Return DynamoDB read request units."""
        return self.read_halves / 2

    @property
    def gigabyte_seconds(self) -> float:
        """Return the GB-seconds that Lambda bills."""
        return self.megabyte_milliseconds / 1024 / 1000
