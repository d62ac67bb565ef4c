"""Merge changed fields of a flow configuration into the current one."""

from typing import Self

from pydantic import ValidationError, model_validator

from chalicelib.errors import InvalidRequest
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.validation_problems import validation_problems


class ConfigurationChange(FlowConfiguration):
    """Some fields of a configuration. They are checked together after the merge."""

    @model_validator(mode="after")
    def _salt_fits(self) -> Self:
        return self


def merge_configuration(base: FlowConfiguration, change: ConfigurationChange | None) -> FlowConfiguration:
    """Return `base` with the fields of `change`. Raises InvalidRequest if they are inconsistent."""
    if change is None:
        return base
    written = {name: getattr(change, name) for name in change.model_fields_set}
    merged = {**base.model_dump(by_alias=False), **written}
    try:
        return FlowConfiguration.model_validate(merged)
    except ValidationError as error:
        raise InvalidRequest(validation_problems(error, "configuration")) from error
