"""The signing secret, read from AWS Secrets Manager once per process."""

from typing import Protocol, TypedDict

from chalicelib.aws._dynamodb import translate_errors


class _Answer(TypedDict):
    SecretString: str


class SecretsClient(Protocol):
    """The used part of boto3's client for "secretsmanager". Its stubs are not installed."""

    def get_secret_value(self, *, SecretId: str) -> _Answer:  # noqa: N803 - the name that botocore gives it
        """Call GetSecretValue."""


class Secret:
    """Returns the secret when called. `secret_id` is a name or an ARN (environment: SIGNING_SECRET_ID)."""

    def __init__(self, client: SecretsClient, secret_id: str) -> None:
        self._client, self._secret_id = client, secret_id
        self._value: bytes | None = None

    def __call__(self) -> bytes:
        if self._value is None:
            with translate_errors():
                answer = self._client.get_secret_value(SecretId=self._secret_id)
            self._value = answer["SecretString"].encode()
        return self._value
