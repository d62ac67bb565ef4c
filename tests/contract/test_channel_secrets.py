"""Channel secrets: read from the folder of their workspace, and cached for five minutes."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.aws.channel_secrets import CACHE_SECONDS, ChannelSecrets
from chalicelib.errors import NotFound
from chalicelib.model.ids import WorkspaceUid
from tests.contract.conftest import embedded
from tests.embedded_aws import EmbeddedAws, MotoAws

W = WorkspaceUid("w1")


class Scene:
    """AWS, its secrets, and a clock that the test moves."""

    def __init__(self, aws: EmbeddedAws | MotoAws) -> None:
        self.manager: Any = aws.client("secretsmanager")
        self.parameters: Any = aws.client("ssm")
        self.now = 1000.0
        self.secrets = ChannelSecrets(self.manager, self.parameters, "carillon", lambda: self.now)


@pytest.fixture(params=["ministack", "moto"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    aws = embedded(request.param)
    aws.reset()
    yield Scene(aws)
    aws.reset()


def test_a_name_is_a_secret_of_the_workspace(scene: Scene) -> None:
    scene.manager.create_secret(Name="carillon/w1/twilio", SecretString="mine")
    scene.manager.create_secret(Name="twilio", SecretString="the installation's")
    scene.manager.create_secret(Name="carillon/w2/twilio", SecretString="another's")
    assert scene.secrets(W, "twilio") == "mine"
    assert scene.secrets(WorkspaceUid("w2"), "twilio") == "another's"


def test_a_name_with_ssm_is_a_parameter_of_the_workspace(scene: Scene) -> None:
    scene.parameters.put_parameter(Name="/carillon/w1/hook", Value="mine", Type="SecureString")
    assert scene.secrets(W, "ssm:hook") == "mine"


@pytest.mark.parametrize("name", ["nothing", "ssm:nothing"])
def test_what_is_not_there_is_not_found_and_looked_for_again(scene: Scene, name: str) -> None:
    with pytest.raises(NotFound):
        scene.secrets(W, name)
    scene.manager.create_secret(Name="carillon/w1/nothing", SecretString="now")
    scene.parameters.put_parameter(Name="/carillon/w1/nothing", Value="now", Type="SecureString")
    assert scene.secrets(W, name) == "now"


def test_a_secret_without_text_is_none(scene: Scene) -> None:
    scene.manager.create_secret(Name="carillon/w1/binary", SecretBinary=b"x")
    with pytest.raises(NotFound):
        scene.secrets(W, "binary")


def test_a_secret_that_was_replaced_is_known_after_five_minutes(scene: Scene) -> None:
    scene.manager.create_secret(Name="carillon/w1/hook", SecretString="old")
    assert scene.secrets(W, "hook") == "old"
    scene.manager.put_secret_value(SecretId="carillon/w1/hook", SecretString="new")
    scene.now += CACHE_SECONDS - 1
    assert scene.secrets(W, "hook") == "old"
    scene.now += 1
    assert scene.secrets(W, "hook") == "new"
