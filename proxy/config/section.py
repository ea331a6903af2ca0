"""The rule every part of the configuration follows: frozen, and no key it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A set of keys. Its docstring is what `ftpweir explain SECTION` prints."""

    model_config = ConfigDict(frozen=True, extra="forbid")
