"""A person's decisions about a part, beside the AI results."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enumeration
from models.states import HumanVerdict
from models.synced import Fact


class HumanVerification(Fact, Base, kw_only=True, eq=False):
    """A person's decision (人による検証); a later one corrects an earlier one, nothing is overwritten.

    Attributes:
        item_id: the item it is about; None for the whole part.
        ai_result_id: the AI result the person had on the screen.
        defects: list of ``models.results.MarkedDefect`` in JSON form.
        seconds: time the person took.
    """

    __tablename__ = "human_verifications"
    entity: ClassVar[str] = "human_verification"

    session_id: Mapped[str] = mapped_column(ForeignKey("inspection_sessions.id"), index=True)
    item_id: Mapped[str | None] = mapped_column(ForeignKey("inspection_items.id"), default=None)
    ai_result_id: Mapped[str | None] = mapped_column(ForeignKey("ai_results.id"), default=None)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), default=None, index=True)
    username: Mapped[str] = mapped_column(String(64), default="")
    verdict: Mapped[HumanVerdict] = mapped_column(enumeration(HumanVerdict))
    defects: Mapped[list[Any]] = mapped_column(default_factory=list)
    comment: Mapped[str] = mapped_column(Text, default="")
    seconds: Mapped[float | None] = mapped_column(default=None)
