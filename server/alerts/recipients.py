"""Wire types of whoever is told of alerts: addresses of mail and URLs of webhooks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from models.rejections import RejectedValueError
from server.alerts.addresses import require_webhook_url
from sync.shared.schemas import Text

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)
_MOST = 20


def _mail_address(address: str) -> str:
    if _MAIL.fullmatch(address) is None:
        raise RejectedValueError("value-mail-address")
    return address


_Address = Annotated[Text, AfterValidator(_mail_address), Field(min_length=3, max_length=254)]
_Url = Annotated[Text, AfterValidator(require_webhook_url), Field(min_length=8, max_length=2_000)]
MailAddresses = Annotated[list[_Address], Field(max_length=_MOST)]
Webhooks = Annotated[list[_Url], Field(max_length=_MOST)]
