"""Secrets of channels, in a folder per workspace of AWS Secrets Manager or SSM Parameter Store."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from botocore.exceptions import ClientError

from chalicelib.aws._dynamodb import translate_errors
from chalicelib.aws.signing_secret import SecretsClient
from chalicelib.errors import NotFound
from chalicelib.model.ids import WorkspaceUid

#: Seconds for which a secret is cached; a replaced one may be used for as long.
CACHE_SECONDS = 300.0
#: Prefix of names in Parameter Store.
SSM = "ssm:"
_MISSING = frozenset({"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"})
_UNREADABLE = frozenset({"AccessDeniedException", "InvalidRequestException", "DecryptionFailure", "InvalidKeyId"})


class ParametersClient(Protocol):
    """The used part of boto3's client for "ssm". Its stubs are not installed."""

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Mapping[str, Mapping[str, str]]:  # noqa: N803 - botocore's
        """Call GetParameter."""


class ChannelSecrets:
    """Reads the secret `<folder>/<workspace>/<name>`, or for `ssm:name` the parameter `/<folder>/<workspace>/<name>`.

    The workspace is part of the path, so that no channel can read a secret of another workspace or of the installation.
    """

    def __init__(
        self,
        secrets: SecretsClient,
        parameters: ParametersClient,
        folder: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets, self._parameters, self._folder, self._now = secrets, parameters, folder, now
        self._cache: dict[tuple[WorkspaceUid, str], tuple[float, str]] = {}

    def __call__(self, workspace: WorkspaceUid, name: str) -> str:
        """Return a secret, cached for five minutes; a missing secret is not cached."""
        read_at, value = self._cache.get((workspace, name), (0.0, ""))
        if value and self._now() - read_at < CACHE_SECONDS:
            return value
        value = self._read(workspace, name)
        self._cache[workspace, name] = (self._now(), value)
        return value

    def _read(self, workspace: WorkspaceUid, name: str) -> str:
        path = f"{self._folder}/{workspace}/{name.removeprefix(SSM)}"
        try:
            with translate_errors():
                if name.startswith(SSM):
                    return self._parameters.get_parameter(Name=f"/{path}", WithDecryption=True)["Parameter"]["Value"]
                return self._secrets.get_secret_value(SecretId=path)["SecretString"]
        except KeyError as error:  # A binary secret has no text.
            raise NotFound("Secret", path) from error
        except ClientError as error:
            if error.response["Error"].get("Code", "") in _MISSING | _UNREADABLE:
                raise NotFound("Secret", path) from error
            raise
